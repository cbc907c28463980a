import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { Firestore } from '@google-cloud/firestore';
import { PubSub, type Topic } from '@google-cloud/pubsub';
import { askPubsub } from '../../support/ask-pubsub.ts';
import { startEmulators } from '../../support/emulators.ts';
import { median } from '../percentile.ts';
import { rounded } from '../shape-result.ts';
import { DISPATCHED, FINISHED, type Role, type Told } from './skeleton-messages.ts';

export interface SkeletonResult {
  skeleton: string;
  perTaskMs: number;
}

const WORKER = fileURLToPath(new URL('skeleton-worker.ts', import.meta.url));
const TASKS = 200;
/** The emulators and the workers compile themselves while they run. */
const WARM_UPS = 4;
const RUNS = 5;
const RUN_TIMEOUT_MS = 120_000;

/**
 * What a task costs on this machine before there is any Penstock in it: tasks that are dispatched at once, each a message, a read, two
 * commits with a precondition, and a second message that another process hears. No admission, no history, no joins, no end of a run.
 */
export async function benchSkeleton(): Promise<SkeletonResult> {
  const emulators = await startEmulators();
  const { projectId } = emulators;
  const firestore = new Firestore({ projectId });
  const pubsub = new PubSub({ projectId });
  const workers: Worker[] = [];
  try {
    for (const [role, topic] of [
      ['work', DISPATCHED],
      ['follow', FINISHED],
    ] as const) {
      const worker = await startWorker(role, projectId);
      workers.push(worker);
      await subscribe(emulators, topic, worker.port);
    }
    const perTaskMs: number[] = [];
    for (let run = 0; run < WARM_UPS + RUNS; run += 1) {
      const wallMs = await playRun(run, { firestore, dispatched: pubsub.topic(DISPATCHED), workers });
      if (run >= WARM_UPS) perTaskMs.push(wallMs / TASKS);
    }
    return { skeleton: `fan-${TASKS}`, perTaskMs: rounded(median(perTaskMs)) };
  } finally {
    for (const { process } of workers) process.kill();
    await Promise.all([firestore.terminate(), pubsub.close()]);
    await emulators.stop();
  }
}

interface Worker {
  process: ChildProcess;
  port: number;
}

async function startWorker(role: Role, projectId: string): Promise<Worker> {
  const worker = fork(WORKER, [role], {
    env: { ...process.env, GOOGLE_CLOUD_PROJECT: projectId },
    execArgv: ['--disable-warning=ExperimentalWarning'],
  });
  const port = await new Promise<number>((resolve, reject) => {
    worker.on('message', (told: Told) => {
      if ('port' in told) resolve(told.port);
    });
    worker.once('exit', (code) => reject(new Error(`the skeleton's ${role} ended with ${code}`)));
  });
  return { process: worker, port };
}

async function subscribe(
  { pubsubHost, projectId }: { pubsubHost: string; projectId: string },
  topic: string,
  port: number,
): Promise<void> {
  await askPubsub(pubsubHost, 'PUT', `${projectId}/topics/${topic}`, {});
  await askPubsub(pubsubHost, 'PUT', `${projectId}/subscriptions/${topic}`, {
    topic: `projects/${projectId}/topics/${topic}`,
    pushConfig: { pushEndpoint: `http://127.0.0.1:${port}` },
    ackDeadlineSeconds: 600,
  });
}

interface Skeleton {
  firestore: Firestore;
  dispatched: Topic;
  workers: readonly Worker[];
}

/** Milliseconds from the first write to the last task that was heard of. */
async function playRun(run: number, { firestore, dispatched, workers }: Skeleton): Promise<number> {
  const refs = Array.from({ length: TASKS }, (_, at) => firestore.doc(`runs/${run}/tasks/${at}`));
  const startedAt = performance.now();
  const batch = firestore.batch();
  for (const ref of refs) batch.create(ref, { state: 'pending' });
  await batch.commit();
  await Promise.all([
    followed(new Set(refs.map(({ path }) => path)), workers),
    ...refs.map(({ path }) => dispatched.publishMessage({ data: Buffer.from(path) })),
  ]);
  return performance.now() - startedAt;
}

/** When all were heard of. A message may come twice. */
function followed(left: Set<string>, workers: readonly Worker[]): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const onMessage = (told: Told): void => {
    if ('failed' in told) reject(new Error(`the skeleton failed: ${told.failed}`));
    if ('followed' in told) left.delete(told.followed);
    if (left.size === 0) resolve();
  };
  const timer = setTimeout(
    () => reject(new Error(`${left.size} tasks were not heard of after ${RUN_TIMEOUT_MS} ms`)),
    RUN_TIMEOUT_MS,
  );
  for (const { process } of workers) process.on('message', onMessage);
  return promise.finally(() => {
    clearTimeout(timer);
    for (const { process } of workers) process.off('message', onMessage);
  });
}
