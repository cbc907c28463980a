import { randomUUID } from 'node:crypto';
import { runsOf } from '../../../shared/core/refs.ts';
import { isTerminal, type Run } from '../../../shared/core/run.ts';
import type { Ports } from '../../../shared/core/ports.ts';
import { readGoogleConfig } from '../../../shared/runtime/google-config.ts';
import { createGoogleRuntime } from '../../../shared/runtime/google.ts';
import type { Emulators } from '../emulators.ts';
import { builtPrograms } from '../built-programs.ts';
import type { HostedOptions, PlatformHost } from '../platform.ts';
import { startCluster } from './start-cluster.ts';

/** Variables by which the client libraries find what stands in for Google; they read them from the process only. */
const OF_LIBRARIES = [
  'FIRESTORE_EMULATOR_HOST',
  'PUBSUB_EMULATOR_HOST',
  'STORAGE_EMULATOR_HOST',
  'GOOGLE_APPLICATION_CREDENTIALS',
  'METADATA_SERVER_DETECTION',
];
const SETTLE_MS = 30_000;
/** Each sweep asks the emulator a dozen questions. */
const MIN_SWEEP_SECONDS = 1;

/** The platform as separate processes, and ports of its own on the same records. */
export async function openClusterHost(options: HostedOptions): Promise<PlatformHost> {
  const { model, folder, jobProgram } = options;
  for (const name of ['work', 'decorate'] as const) {
    if (options[name] !== undefined)
      throw new Error(`${name} needs a platform in this process: use inProcess()`);
  }
  const { PENSTOCK_SWEEP_SECONDS: sweepSeconds, ...env } = options.env;
  const cluster = await startCluster({
    ...builtPrograms(),
    folder,
    projectId: `penstock-${randomUUID().slice(0, 8)}`,
    sweepSeconds: Math.max(MIN_SWEEP_SECONDS, Number(sweepSeconds)),
    env: { ...FAST, ...modelEnvironment(model), ...env },
    delivery: { minBackoffSeconds: 0.2, maxBackoffSeconds: 15 },
    ...sharedEmulators(),
    ...(jobProgram === undefined ? {} : { jobProgram }),
  });
  for (const name of OF_LIBRARIES) process.env[name] = cluster.environment[name];
  const runtime = await createGoogleRuntime(readGoogleConfig(cluster.environment));
  return {
    url: cluster.url,
    ports: runtime.ports,
    folder,
    settled: () => settled(runtime.ports),
    stop: async () => {
      await runtime.close();
      await cluster.stop();
    },
  };
}

/** As in local mode: what is lost is noticed before a test loses its patience. */
const FAST = { PENSTOCK_LEASE_SECONDS: '20', PENSTOCK_RENEW_SECONDS: '5', PENSTOCK_START_SECONDS: '30' };

/** The functions know one provider; who answers at its address is up to the test. */
function modelEnvironment({ baseUrl, apiKey }: HostedOptions['model']): Record<string, string> {
  if (typeof apiKey !== 'string')
    throw new Error('functions get their key as text, or as the name of a secret');
  return { ANTHROPIC_BASE_URL: baseUrl, ANTHROPIC_API_KEY: apiKey, PENSTOCK_UNSAFE_NO_SANDBOX: '1' };
}

/** Those that `npm run test:cluster` has started for all its tests. */
function sharedEmulators(): { emulators?: Emulators } {
  const [firestoreHost, pubsubHost] = (process.env['PENSTOCK_TEST_EMULATORS'] ?? '').split(',');
  if (firestoreHost === undefined || pubsubHost === undefined) return {};
  return {
    emulators: { firestoreHost, pubsubHost, projectId: 'penstock-test', stop: () => Promise.resolve() },
  };
}

/** Every run that has ended says so outside too: nobody knows what is still on its way in Pub/Sub, but the records know what is left to do. */
async function settled({ store, policy }: Ports): Promise<void> {
  const until = Date.now() + SETTLE_MS;
  while (Date.now() < until) {
    const { documents } = await store.query<Run>({
      from: { collection: runsOf(policy.defaultTenant) },
      limit: 200,
    });
    if (documents.every(({ data }) => !isTerminal(data.stage) || !data.unsettledOutside)) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`the platform is not settled after ${SETTLE_MS} ms`);
}
