import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createProcessJobStarter } from '../../../shared/adapters/local/process-job-starter.ts';
import type { Ports } from '../../../shared/core/ports.ts';
import type { CodeHost } from '../../../shared/ports/code-host.ts';
import type { JobStarter } from '../../../shared/ports/job-starter.ts';
import { type Config, readConfig } from '../../../shared/runtime/config.ts';
import { crashAt, type Counted, type CrashOrders } from './crash-point.ts';
import { watchFetch, watchPort } from './watch-calls.ts';

/** The platform as `penstock up` composes it, in a process that can be killed at any call of a port. */
const orders = JSON.parse(process.env['PENSTOCK_TEST_CRASH'] ?? '{}') as CrashOrders;
const counted = crashAt(orders, 'host');
// Before anything takes hold of fetch.
watchFetch(counted);
const { startHost } = await import('../../../functions/local/host.ts');
const config = readConfig();
const isBlind = process.env['PENSTOCK_TEST_BLIND'] === '1';

const host = await startHost({
  config,
  model: { provider: 'script', baseUrl: process.env['PENSTOCK_TEST_MODEL'] ?? '', apiKey: 'rule' },
  decorate: (ports) => watchPorts(ports, config, counted),
});

process.on('message', (message) => {
  if (message === 'idle') void host.runtime.queue.idle().then(() => process.send?.('idle'));
});
process.once('SIGTERM', () => {
  void host.stop().then(() => process.exit(0));
});
process.send?.('ready');

function watchPorts(ports: Ports, settings: Config, count: Counted): Ports {
  return {
    ...ports,
    store: watchPort('store', ports.store, count),
    queue: watchPort('queue', ports.queue, count),
    blobs: watchPort('blobs', ports.blobs, count),
    model: watchPort('model', ports.model, count),
    jobs: watchPort('jobs', watchedJobs(settings, ports), count),
    codeHost: (repository) => {
      const codeHost = ports.codeHost(repository);
      return watchPort('codeHost', isBlind ? blind(codeHost) : codeHost, count);
    },
  };
}

/** The same starter, with a program around the job's own that can be killed too. */
function watchedJobs(settings: Config, { log }: Ports): JobStarter {
  return createProcessJobStarter({
    command: [
      process.execPath,
      '--disable-warning=ExperimentalWarning',
      fileURLToPath(new URL('job.ts', import.meta.url)),
    ],
    environment: {
      PATH: [dirname(process.execPath), process.env['PATH'] ?? ''].join(':'),
      PENSTOCK_ATTEMPTS_URL: `http://127.0.0.1:${settings.PORT}`,
      PENSTOCK_DATA: settings.PENSTOCK_DATA,
      PENSTOCK_SANDBOX: settings.PENSTOCK_SANDBOX,
      PENSTOCK_UNSAFE_NO_SANDBOX: settings.PENSTOCK_UNSAFE_NO_SANDBOX,
      PENSTOCK_TEST_CRASH: JSON.stringify(orders),
    },
    logFolder: join(settings.PENSTOCK_DATA, 'jobs'),
    maxJobs: settings.PENSTOCK_MAX_JOBS,
    graceMs: 2_000,
    log,
  });
}

/** Sees nothing of what it wrote before: the negative control. */
function blind(codeHost: CodeHost): CodeHost {
  const nothing = () => Promise.resolve(undefined);
  return { ...codeHost, findPullRequest: nothing, findComment: nothing, findCheckRun: nothing };
}
