import { setTimeout as sleep } from 'node:timers/promises';
import { createPinoLog } from '../../../shared/adapters/local/pino-log.ts';
import { createProcessJobStarter } from '../../../shared/adapters/local/process-job-starter.ts';

/** A platform process that starts a job which says `line 0` … `line 19` within a second, and is killed in the middle of it. */
const [logFolder = ''] = process.argv.slice(2);
const SPEAKER =
  'let n = 0; const timer = setInterval(() => { console.error(`line ${n}`); if (++n === 20) clearInterval(timer); }, 50);';

const jobs = createProcessJobStarter({
  command: [process.execPath, '-e', SPEAKER],
  environment: {},
  logFolder,
  maxJobs: 1,
  graceMs: 100,
  log: createPinoLog({ level: 'SILENT' }),
});
await jobs.start({ tenant: 'local', run: 'r', task: 't', generation: 1, ticket: 'none', tier: 'standard' });
await sleep(400);
process.kill(process.pid, 'SIGKILL');
