import { createPinoLog } from '../../shared/adapters/local/pino-log.ts';
import { createSystemClock } from '../../shared/adapters/local/system-clock.ts';
import { PenstockError } from '../../shared/ports/penstock-error.ts';
import { messageOf } from '../../shared/core/work/attempt-failures.ts';
import { readJobConfig } from '../../shared/runtime/job-config.ts';
import { runJob } from './run-job.ts';

/** 0: the attempt's end is stored, or it is somebody else's. 1: it could not be reported. 2: the environment is wrong. */
async function main(): Promise<number> {
  const log = createPinoLog({ level: 'INFO' });
  const terminated = new AbortController();
  process.once('SIGTERM', () => terminated.abort());
  try {
    const config = readJobConfig();
    const end = await runJob({ config, clock: createSystemClock(), log, terminated: terminated.signal });
    if (end === 'stale') log.info('nothing to do: the attempt is claimed by another job or over');
    return 0;
  } catch (error) {
    log.error(messageOf(error));
    return error instanceof PenstockError && error.code === 'config' ? 2 : 1;
  }
}

process.exitCode = await main();
