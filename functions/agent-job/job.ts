import type { Tool } from '../../shared/ports/tool.ts';
import type { WorkContext } from '../../shared/core/work/run-attempt.ts';
import type { JobSandbox } from './job-sandbox.ts';

/** What every part of a running job has at hand. */
export interface Job extends WorkContext, JobSandbox {
  /** Everything that this attempt has on disk; removed at its end. */
  folder: string;
  wrapTools: (tools: Tool[]) => Tool[];
}
