import { runChecks } from '../../shared/adapters/tools/run-checks.ts';
import { checkpoint, restore } from '../../shared/adapters/workspace/snapshot.ts';
import type { Workspace } from '../../shared/adapters/workspace/workspace.ts';
import type { CheckResult } from '../../shared/messages/change-set.ts';
import type { Job } from './job.ts';

/** The platform's own checks of one workspace. They leave the files as they found them, whatever the commands write. */
export interface WorkspaceChecks {
  /** Of the files as they are; empty where nothing may be run. In the transcript when it resolves. */
  run(): Promise<CheckResult[]>;
  /** Whether the files were green before anything was changed; looked up once, when somebody wants to know. */
  wereInputsGreen(): Promise<boolean>;
}

export function createWorkspaceChecks(job: Job, workspace: Workspace): WorkspaceChecks {
  const { sandbox, steering, transcript, mayRunCode } = job;
  const { contract } = job.attempt.brief;
  let inputs: Promise<boolean> | undefined;

  async function runOn(): Promise<CheckResult[]> {
    if (!mayRunCode) return [];
    const before = await checkpoint(workspace);
    try {
      return await runChecks({ sandbox, workspace, contract, signal: steering.signal });
    } finally {
      await restore(workspace, before);
    }
  }

  async function checkInputs(): Promise<boolean> {
    const changed = await checkpoint(workspace);
    try {
      await restore(workspace, new Uint8Array());
      const results = await runOn();
      transcript.write({ kind: 'note', text: 'Checks of the files as they were before the changes:' });
      transcript.write({ kind: 'checks', results });
      return !areRed(results);
    } finally {
      await restore(workspace, changed);
    }
  }

  return {
    async run() {
      const results = await runOn();
      steering.signal.throwIfAborted();
      if (mayRunCode) transcript.write({ kind: 'checks', results });
      else
        transcript.write({
          kind: 'note',
          text: 'No checks were run: nothing confines commands on this machine.',
        });
      return results;
    },
    wereInputsGreen: () => (inputs ??= checkInputs()),
  };
}

/** A command that failed is red; that there is no command is not, although it is no pass either. */
export function areRed(results: CheckResult[]): boolean {
  return results.some(({ command, passed }) => command !== '' && !passed);
}
