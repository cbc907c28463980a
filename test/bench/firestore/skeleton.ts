import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { Firestore } from '@google-cloud/firestore';
import { PubSub, type Topic } from '@google-cloud/pubsub';
import { askPubsub } from '../../support/ask-pubsub.ts';
import { startEmulators } from '../../support/emulators.ts';
import { median } from '../percentile.ts';
import { rounded } from '../shape-result.ts';
import { emptyDatabase } from './empty-database.ts';
import {
  DISPATCHED,
  FINISHED,
  type Line,
  type Operations,
  type Role,
  toData,
  type Told,
} from './skeleton-messages.ts';

export interface SkeletonResult {
  skeleton: string;
  operations: Operations;
  perTaskMs: number;
}

interface SkeletonShape {
  name: string;
  /** Are dispatched at once; in each, a task is dispatched by the one before it. */
  lines: number;
  length: number;
}

const FAN: SkeletonShape = { name: 'fan-1x200x1', lines: 200, length: 1 };
const CHAIN: SkeletonShape = { name: 'chain-50', lines: 1, length: 50 };
const MEASURED = [
  [FAN, 'bare'],
  [FAN, 'contract'],
  [CHAIN, 'bare'],
  [CHAIN, 'contract'],
] as const;

const WORKER = fileURLToPath(new URL('skeleton-worker.ts', import.meta.url));
/** The emulators and the workers compile themselves while they run. */
const WARM_UP_TASKS = 800;
const RUNS = 5;
const RUN_TIMEOUT_MS = 120_000;
/** About as large as a task of Penstock. */
const FILLING = 'a task '.repeat(200);
/** What the queries of a contract ask for. */
const FIELDS = { tenant: 'local', pool: 'core', live: true, held: false, notBefore: 0, rank: 0 };

/**
 * What tasks cost on this machine before there is any Penstock in them. `bare`: each a message, a read, two commits with a precondition,
 * and a second message that another process hears. `contract`: also the count of an admission, a second read, the look for who waits, and
 * for the last of a line the count of what is live. No history, no agents, no budgets, no joins, no end of a run in either.
 */
export async function benchSkeletons(): Promise<SkeletonResult[]> {
  const results: SkeletonResult[] = [];
  for (const [shape, operations] of MEASURED) results.push(await benchSkeleton(shape, operations));
  return results;
}

async function benchSkeleton(shape: SkeletonShape, operations: Operations): Promise<SkeletonResult> {
  const emulators = await startEmulators();
  const { projectId, firestoreHost } = emulators;
  const firestore = new Firestore({ projectId });
  const pubsub = new PubSub({ projectId });
  const workers: Worker[] = [];
  try {
    for (const [role, topic] of [
      ['work', DISPATCHED],
      ['follow', FINISHED],
    ] as const) {
      const worker = await startWorker(role, operations, projectId);
      workers.push(worker);
      await subscribe(emulators, topic, worker.port);
    }
    const play = async (): Promise<number> => {
      const wallMs = await playRun(shape, { firestore, dispatched: pubsub.topic(DISPATCHED), workers });
      await emptyDatabase(firestoreHost, projectId);
      return wallMs;
    };
    const tasks = shape.lines * shape.length;
    for (let done = 0; done < WARM_UP_TASKS; done += tasks) await play();
    const perTaskMs: number[] = [];
    while (perTaskMs.length < RUNS) perTaskMs.push((await play()) / tasks);
    return { skeleton: shape.name, operations, perTaskMs: rounded(median(perTaskMs)) };
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

async function startWorker(role: Role, operations: Operations, projectId: string): Promise<Worker> {
  const worker = fork(WORKER, [role, operations], {
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
async function playRun(
  { lines, length }: SkeletonShape,
  { firestore, dispatched, workers }: Skeleton,
): Promise<number> {
  const lineOf = (line: number) => Array.from({ length }, (_, at) => `runs/1/tasks/${line}-${at}`) as Line;
  const all = Array.from({ length: lines }, (_, line) => lineOf(line));
  const paths = all.flat();
  const startedAt = performance.now();
  const batch = firestore.batch();
  for (const path of paths)
    batch.create(firestore.doc(path), { ...FIELDS, state: 'pending', filling: FILLING });
  await batch.commit();
  await Promise.all([
    followed(new Set(paths), workers),
    ...all.map((line) => dispatched.publishMessage({ data: toData(line) })),
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
  const onExit = (code: number | null): void =>
    reject(new Error(`a process of the skeleton ended with ${code}`));
  const timer = setTimeout(
    () => reject(new Error(`${left.size} tasks were not heard of after ${RUN_TIMEOUT_MS} ms`)),
    RUN_TIMEOUT_MS,
  );
  for (const { process } of workers) process.on('message', onMessage).on('exit', onExit);
  return promise.finally(() => {
    clearTimeout(timer);
    for (const { process } of workers) process.off('message', onMessage).off('exit', onExit);
  });
}
