import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { createFirestoreClient } from '../../../shared/adapters/google/firestore-client.ts';
import { createFirestoreStore } from '../../../shared/adapters/google/firestore-store.ts';
import { createSubscriptions } from '../cluster/create-subscriptions.ts';
import { startScheduler } from '../cluster/scheduler.ts';
import { type Cluster, startCluster } from '../cluster/start-cluster.ts';
import { type OwnEmulators, startEmulators } from '../emulators.ts';
import type { EmulatorFault } from './fault.ts';
import { faultProgram } from './fault-programs.ts';
import { endJobs, jobTexts } from './job-groups.ts';
import { noteLost, undelivered } from './message-ledger.ts';
import { leases, type System, type SystemOptions } from './system.ts';

const SWEEP_MS = 1_000;
const DELIVERY = { minBackoffSeconds: 0.2, maxBackoffSeconds: 15 };
/** How long what is left to deliver may take. */
const IDLE_TIMEOUT_MS = 10_000;
const POLL_MS = 100;
/** Longer than a schedule holds a message back. */
const HELD_MS = 1_700;
/** For so long nobody answers at Pub/Sub's port, and a little more. */
const DOWN_MS = 1_000;
const PAUSE_MS: Record<Exclude<EmulatorFault, 'restart'>, number> = {
  pause: 3_000,
  // The clients' deadline is 15 seconds.
  stall: 18_000,
};

/** Every function as a process of its own on Google's emulators, each started again when it dies. */
export async function startClusterSystem(options: SystemOptions): Promise<System> {
  const { folder, env, modelUrl, isBlind, patience } = options;
  if (isBlind) throw new Error('a cluster that is blind is not made');
  const emulators = await startEmulators();
  const projectId = `penstock-${randomUUID().slice(0, 8)}`;
  const cluster = await startCluster({
    emulators,
    projectId,
    folder,
    sweepSeconds: 0,
    sourceOf: () => faultProgram('function'),
    jobProgram: faultProgram('job'),
    delivery: DELIVERY,
    env: {
      ...env,
      // A function's first message has it read all its libraries.
      ...leases(30 * patience),
      LOG_LEVEL: 'INFO',
      PENSTOCK_DATA: folder,
      ANTHROPIC_BASE_URL: modelUrl,
      ANTHROPIC_API_KEY: 'rule',
      PENSTOCK_UNSAFE_NO_SANDBOX: '1',
    },
  });
  const scheduler = startScheduler(cluster.url, SWEEP_MS);
  const client = createFirestoreClient({ projectId, emulatorHost: emulators.firestoreHost });
  // It waits for an emulator that stands still.
  const records = createFirestoreStore({ client, timeoutMs: 60_000 });
  return {
    url: cluster.url,
    revive: () => revive(cluster),
    isIdle: () => isIdle(folder),
    sweeps: () => scheduler.answered(),
    records: () => records,
    breakDown: (how) => breakDown(how, { emulators, cluster, folder }),
    stragglers: () => jobTexts(folder),
    stop: async () => {
      await scheduler.stop();
      await records.close();
      await cluster.stop();
      endJobs(folder);
      await emulators.stop();
    },
  };
}

async function revive(cluster: Cluster): Promise<void> {
  const dead = cluster.functions.filter((name) => !isAlive(cluster.pidOf(name)));
  // One that dies while it starts is started again by the next call.
  await Promise.all(dead.map((name) => cluster.restart(name).catch(() => undefined)));
}

function isAlive(pid: number | undefined): pid is number {
  try {
    return pid !== undefined && process.kill(pid, 0);
  } catch {
    return false;
  }
}

async function isIdle(folder: string): Promise<boolean> {
  const until = performance.now() + IDLE_TIMEOUT_MS;
  while (performance.now() < until) {
    if (undelivered(folder).length === 0) {
      await sleep(HELD_MS);
      if (undelivered(folder).length === 0) return true;
    }
    await sleep(POLL_MS);
  }
  return false;
}

interface Broken {
  emulators: OwnEmulators;
  cluster: Cluster;
  folder: string;
}

/**
 * Pub/Sub comes back without topics, subscriptions and messages; an operator makes the first two again. The real one forgets no topic,
 * so functions see it gone, and stand still until it is whole.
 */
async function breakDown(how: EmulatorFault, { emulators, cluster, folder }: Broken): Promise<void> {
  if (how !== 'restart') return emulators.pause('firestore', PAUSE_MS[how]);
  const restarted = emulators.restart('pubsub', DOWN_MS);
  // Awaited below; it may have failed by then.
  restarted.catch(() => undefined);
  await sleep(DOWN_MS / 2);
  signalFunctions(cluster, 'SIGSTOP');
  try {
    await restarted;
    noteLost(folder);
    await createSubscriptions({
      pubsubHost: emulators.pubsubHost,
      projectId: cluster.environment['GOOGLE_CLOUD_PROJECT'] ?? '',
      urlOf: (name) => `http://127.0.0.1:${cluster.portOf(name)}`,
      delivery: DELIVERY,
    });
  } finally {
    signalFunctions(cluster, 'SIGCONT');
  }
}

function signalFunctions(cluster: Cluster, signal: 'SIGSTOP' | 'SIGCONT'): void {
  for (const name of cluster.functions) {
    const pid = cluster.pidOf(name);
    if (isAlive(pid)) process.kill(pid, signal);
  }
}
