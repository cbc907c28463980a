import { appendFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { createProcessJobStarter } from '../../../shared/adapters/local/process-job-starter.ts';
import type { Ports } from '../../../shared/core/ports.ts';
import type { JobStarter } from '../../../shared/ports/job-starter.ts';
import { type Config, readConfig } from '../../../shared/runtime/config.ts';
import { faultyPorts } from './faulty-ports.ts';
import { createInjector, readOrders } from './injector.ts';
import { shortenDeadlines } from './shorten-deadlines.ts';
import { watchFetch, watchPort } from './watch-calls.ts';

/** The platform as `penstock up` composes it, in a process whose every call of a port may break. */
const orders = readOrders();
const injector = createInjector(orders, 'host');
// Before anything takes hold of fetch.
watchFetch(injector.around);
shortenDeadlines();
const { startHost } = await import('../../../functions/local/host.ts');
const config = readConfig();

const host = await startHost({
  config,
  model: { provider: 'script', baseUrl: process.env['PENSTOCK_TEST_MODEL'] ?? '', apiKey: 'rule' },
  decorate: (ports) => {
    const isBlind = process.env['PENSTOCK_TEST_BLIND'] === '1';
    const jobs = watchPort('jobs', watchedJobs(config, ports), injector.around);
    return noteSweeps({ ...faultyPorts(ports, { folder: orders.folder, injector, isBlind }), jobs });
  },
});

process.on('message', (message) => {
  if (message === 'idle') void whenIdle().then(() => process.send?.('idle'));
});
process.once('SIGTERM', () => {
  void host.stop().then(() => process.exit(0));
});
// Nobody looks after it any more.
process.once('disconnect', () => process.exit(1));
process.send?.('ready');

async function whenIdle(): Promise<void> {
  await injector.released();
  await host.runtime.queue.idle();
}

/** The host sleeps so long between two sweeps, and nobody else does. */
function noteSweeps(ports: Ports): Ports {
  const everyMs = config.PENSTOCK_SWEEP_SECONDS * 1_000;
  const { clock } = ports;
  return {
    ...ports,
    clock: {
      ...clock,
      sleep: (ms, signal) => {
        if (ms === everyMs) appendFileSync(join(orders.folder, 'sweeps'), '.');
        return clock.sleep(ms, signal);
      },
    },
  };
}

/** The same starter, with a program around the job's own that can be killed too. */
function watchedJobs(settings: Config, { log }: Ports): JobStarter {
  return createProcessJobStarter({
    command: [
      process.execPath,
      '--disable-warning=ExperimentalWarning',
      process.env['PENSTOCK_TEST_JOB'] ?? '',
    ],
    environment: {
      PATH: [dirname(process.execPath), process.env['PATH'] ?? ''].join(':'),
      NODE_COMPILE_CACHE: process.env['NODE_COMPILE_CACHE'] ?? '',
      PENSTOCK_ATTEMPTS_URL: `http://127.0.0.1:${settings.PORT}`,
      PENSTOCK_DATA: settings.PENSTOCK_DATA,
      PENSTOCK_SANDBOX: settings.PENSTOCK_SANDBOX,
      PENSTOCK_UNSAFE_NO_SANDBOX: settings.PENSTOCK_UNSAFE_NO_SANDBOX,
    },
    logFolder: join(settings.PENSTOCK_DATA, 'jobs'),
    maxJobs: settings.PENSTOCK_MAX_JOBS,
    graceMs: 2_000,
    log,
  });
}
