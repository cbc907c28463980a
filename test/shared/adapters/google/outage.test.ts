import type { PubSub } from '@google-cloud/pubsub';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { createFirestoreClient } from '../../../../shared/adapters/google/firestore-client.ts';
import { createFirestoreStore } from '../../../../shared/adapters/google/firestore-store.ts';
import { createPubsubClient } from '../../../../shared/adapters/google/pubsub-client.ts';
import { createPubsubQueue } from '../../../../shared/adapters/google/pubsub-queue.ts';
import type { Queue } from '../../../../shared/ports/queue.ts';
import type { Store, Versioned } from '../../../../shared/ports/store.ts';
import { type OwnEmulators, startEmulators } from '../../../support/emulators.ts';
import { group } from '../../../support/groups.ts';

/** Of calls that are to fail. */
const TIMEOUT_MS = 3_000;
/** Of all others: servers that have just started are slow on a busy machine. */
const PATIENT_MS = 20_000;
const TOPIC = 'run-accepted';
const from = { collection: 'things' };
const ref = (id: string) => ({ ...from, id });

/** Both in one file and one outage: most of the time is that of Java's start. */
group('emulators')('an outage of the servers', () => {
  let emulators: OwnEmulators;
  let store: Store;
  let pubsub: PubSub;
  let queue: Queue;
  let hastyStore: Store;
  let hastyQueue: Queue;

  beforeAll(async () => {
    emulators = await startEmulators();
    const { projectId, firestoreHost, pubsubHost } = emulators;
    const client = createFirestoreClient({ projectId, emulatorHost: firestoreHost });
    store = createFirestoreStore({ client, timeoutMs: PATIENT_MS });
    hastyStore = createFirestoreStore({ client, timeoutMs: TIMEOUT_MS });
    pubsub = createPubsubClient({ projectId, emulatorHost: pubsubHost });
    queue = createPubsubQueue({ pubsub, timeoutMs: PATIENT_MS });
    hastyQueue = createPubsubQueue({ pubsub, timeoutMs: TIMEOUT_MS });
    await pubsub.createTopic(TOPIC);
    await queue.publish(TOPIC, { n: 1 });
    await store.create(ref('a'), { n: 1 });
  }, 300_000);
  afterAll(async () => {
    await store.close();
    await queue.close();
    await emulators.stop();
  });

  it('fails each call in its time as one to try later, and is over for the same clients when the servers are back', async () => {
    const seen: (Versioned<{ n: number }> | undefined)[] = [];
    const stop = store.watch<{ n: number }>(ref('a'), (document) => seen.push(document));
    await until(() => seen.at(-1)?.data.n === 1);
    const back = Promise.all([emulators.restart('firestore', 2_000), emulators.restart('pubsub', 2_000)]);
    await until(() => failsToConnect(emulators));
    const calls = [
      () => hastyStore.get(ref('a')),
      () => hastyStore.create(ref('b'), {}),
      () => hastyStore.count({ from }),
      () => hastyStore.query({ from, limit: 1 }),
      () => hastyQueue.publish(TOPIC, { n: 2 }),
    ];
    const outcomes = await Promise.all(calls.map(outcomeOf));
    for (const { error, ms } of outcomes) {
      expect(error).toMatchObject({ name: 'PenstockError', retry: 'later' });
      expect(['unavailable', 'timeout']).toContain((error as { code?: string }).code);
      expect(ms).toBeLessThan(TIMEOUT_MS + 1_000);
    }
    await back;

    await until(async () => (await outcomeOf(() => store.get(ref('a')))).error === undefined);
    expect(await store.get(ref('a'))).toBeUndefined();
    expect(await store.create(ref('a'), { n: 2 })).toBe('created');
    await until(() => seen.at(-1)?.data.n === 2);
    stop();

    await until(async () => isMissing((await outcomeOf(() => queue.publish(TOPIC, { n: 3 }))).error));
    await pubsub.createTopic(TOPIC);
    await queue.publish(TOPIC, { n: 4 });
  }, 300_000);

  it('of a moment only delays a call', async () => {
    const before = await store.get(ref('a'));
    const pause = emulators.pause('firestore', 500);
    expect(await store.get(ref('a'))).toEqual(before);
    await pause;
  });
});

async function outcomeOf(call: () => Promise<unknown>): Promise<{ error?: unknown; ms: number }> {
  const began = performance.now();
  try {
    await call();
    return { ms: performance.now() - began };
  } catch (error) {
    return { error, ms: performance.now() - began };
  }
}

function isMissing(error: unknown): boolean {
  return (error as { code?: string } | undefined)?.code === 'config';
}

async function failsToConnect({ firestoreHost, pubsubHost }: OwnEmulators): Promise<boolean> {
  const answers = [firestoreHost, pubsubHost].map((host) => fetch(`http://${host}/`));
  return (await Promise.allSettled(answers)).every(({ status }) => status === 'rejected');
}

/** Jest's own timeout ends a vain wait. */
async function until(isSo: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await isSo())) await new Promise((resolve) => setTimeout(resolve, 20));
}
