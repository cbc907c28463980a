import { createPinoLog } from '../../shared/adapters/local/pino-log.ts';
import { createSystemClock } from '../../shared/adapters/local/system-clock.ts';
import type { Trace } from '../../shared/ports/trace.ts';
import { PenstockError } from '../../shared/ports/penstock-error.ts';
import { messageOf } from '../../shared/core/work/attempt-failures.ts';
import { readJobConfig } from '../../shared/runtime/job-config.ts';
import { openIdTokens } from '../../shared/runtime/open-id-tokens.ts';
import { openTrace } from '../../shared/runtime/open-trace.ts';
import { runJob } from './run-job.ts';

/** 0: the attempt's end is stored, or it is somebody else's. 1: it could not be reported. 2: the environment is wrong. */
async function main(): Promise<number> {
  let log = createPinoLog({ level: 'INFO' });
  let trace: Trace | undefined;
  const terminated = new AbortController();
  process.once('SIGTERM', () => terminated.abort());
  try {
    const config = readJobConfig();
    trace = await openTrace(config.trace, { service: 'agent-job', log: () => log });
    log = createPinoLog({ level: 'INFO', trace, project: config.project });
    const clock = createSystemClock();
    const end = await runJob({
      config,
      clock,
      idToken: await openIdTokens(config, clock),
      log,
      trace,
      terminated: terminated.signal,
    });
    if (end === 'stale') log.info('nothing to do: the attempt is claimed by another job or over');
    return 0;
  } catch (error) {
    log.error(messageOf(error));
    return error instanceof PenstockError && error.code === 'config' ? 2 : 1;
  } finally {
    await trace?.close();
  }
}

process.exitCode = await main();
