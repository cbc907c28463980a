import { runJob } from '../../../functions/agent-job/run-job.ts';
import { createPinoLog } from '../../../shared/adapters/local/pino-log.ts';
import { createOpenTelemetryTrace } from '../../../shared/adapters/opentelemetry/opentelemetry-trace.ts';
import { createSystemClock } from '../../../shared/adapters/local/system-clock.ts';
import type { Tool } from '../../../shared/ports/tool.ts';
import { readJobConfig } from '../../../shared/runtime/job-config.ts';

/** The real job with one tool replaced: what a negative control breaks. */
export async function runSabotagedJob(name: string, run: Tool['run']): Promise<void> {
  const wrapTools = (tools: Tool[]) =>
    tools.map((tool) => (tool.spec.name === name ? { ...tool, run } : tool));
  const log = createPinoLog({ level: 'INFO' });
  const terminated = new AbortController().signal;
  const trace = await createOpenTelemetryTrace();
  await runJob({ config: readJobConfig(), clock: createSystemClock(), log, trace, terminated, wrapTools });
}
