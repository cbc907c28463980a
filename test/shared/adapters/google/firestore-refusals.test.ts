import { afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { createFirestoreClient } from '../../../../shared/adapters/google/firestore-client.ts';
import { createFirestoreStore } from '../../../../shared/adapters/google/firestore-store.ts';
import type { Repeat } from '../../../../shared/adapters/google/repeat-request.ts';
import type { Store } from '../../../../shared/ports/store.ts';
import {
  type GrpcAnswer,
  type GrpcStandIn,
  startGrpcStandIn,
} from '../../../support/google/start-grpc-stand-in.ts';

const ref = { collection: 'c', id: 'a' };
const from = { collection: 'c' };

describe('Firestore that refuses', () => {
  const open: { standIn: GrpcStandIn; store: Store }[] = [];
  beforeAll(async () => {
    // Reading the library takes longer than some deadlines here.
    const { store } = await start(() => ({ code: 7, details: 'no' }), 30_000);
    await store.get(ref).catch(() => undefined);
  }, 300_000);
  afterEach(async () => {
    for (const { standIn, store } of open.splice(0)) {
      await store.close();
      standIn.stop();
    }
  });

  async function start(answer: (method: string) => GrpcAnswer, timeoutMs = 5_000) {
    const standIn = await startGrpcStandIn(answer);
    const client = createFirestoreClient({ projectId: 'p', emulatorHost: standIn.host });
    const repeats: Repeat[] = [];
    const ifUnreachable = 'start the emulator that FIRESTORE_EMULATOR_HOST names, or unset it';
    const store = createFirestoreStore({
      client,
      timeoutMs,
      ifUnreachable,
      onRepeat: (repeat) => repeats.push(repeat),
    });
    open.push({ standIn, store });
    return { store, repeats, methods: () => standIn.requests.map(({ method }) => method), standIn };
  }

  const calls = {
    get: ['BatchGetDocuments', (store) => store.get(ref)],
    getMany: ['BatchGetDocuments', (store) => store.getMany([ref])],
    query: ['RunQuery', (store) => store.query({ from, limit: 1 })],
    count: ['RunAggregationQuery', (store) => store.count({ from })],
    sum: ['RunAggregationQuery', (store) => store.sum({ from, field: 'n' })],
    commit: ['Commit', (store) => store.create(ref, {})],
  } satisfies Record<string, [method: string, call: (store: Store) => Promise<unknown>]>;

  for (const [name, [method, call]] of Object.entries(calls)) {
    it(`names the role to grant after one request that is not allowed: ${name}`, async () => {
      const { store, methods } = await start(() => ({
        code: 7,
        details: 'Missing or insufficient permissions.',
      }));
      const refused = call(store);
      await expect(refused).rejects.toMatchObject({ code: 'config', retry: 'never' });
      await expect(refused).rejects.toThrow(
        /c(?:\/a)?: .*; grant roles\/datastore\.user to the service account/,
      );
      expect(methods()).toEqual([method]);
    });
  }

  for (const name of ['get', 'count', 'commit'] as const) {
    it(`hangs up at its deadline where no answer comes, and asks no more: ${name}`, async () => {
      const [method, call] = calls[name];
      const { store, methods, standIn } = await start(() => 'hang', 500);
      const late = call(store);
      await expect(late).rejects.toMatchObject({ code: 'timeout', retry: 'later' });
      await expect(late).rejects.toThrow(/no answer in 500 ms; .*FIRESTORE_EMULATOR_HOST/);
      await standIn.requests[0]?.cancelled;
      expect(methods()).toEqual([method]);
    });
  }

  it.each([
    ['unauthenticated', { code: 16, details: 'Request had invalid authentication credentials.' }, 'config'],
    ['a spent quota', { code: 8, details: 'Quota exceeded.' }, 'rate_limited'],
    ['a missing index', { code: 9, details: 'The query requires an index.' }, 'config'],
    [
      'a missing database',
      { code: 5, details: 'The database (default) does not exist for project p' },
      'config',
    ],
  ] as const)('says it after one request: %s', async (_what, answer, code) => {
    const { store, methods } = await start(() => answer);
    await expect(store.query({ from, limit: 1 })).rejects.toMatchObject({ code });
    expect(methods()).toEqual(['RunQuery']);
  });

  it('names the file that a missing index belongs in', async () => {
    const { store } = await start(() => ({ code: 9, details: 'The query requires an index.' }));
    await expect(store.count({ from })).rejects.toThrow(/terraform\/firestore-indexes\.tf/);
  });

  it.each([
    [5, 'The database (default) does not exist for project p'],
    [9, 'The Cloud Firestore API is not available for Firestore in Datastore Mode'],
  ])('does not take a database that cannot be used for a conflict (%d)', async (code, details) => {
    const { store } = await start(() => ({ code, details }));
    await expect(store.create(ref, {})).rejects.toMatchObject({ code: 'config', retry: 'never' });
    const replace = store.commit([{ op: 'set', ref, data: {}, ifVersion: '1.000000001' }]);
    await expect(replace).rejects.toMatchObject({ code: 'config' });
    const remove = store.commit([{ op: 'delete', ref, ifVersion: '1.000000001' }]);
    await expect(remove).rejects.toMatchObject({ code: 'config' });
  });

  it('does not take an answer that was cut short for the absence of a document, or for a count of 0', async () => {
    const { store } = await start(() => 'nothing');
    const cut = { code: 'unavailable', retry: 'later' };
    await Promise.all([
      expect(store.get(ref)).rejects.toMatchObject(cut),
      expect(store.getMany([ref])).rejects.toMatchObject(cut),
      expect(store.count({ from })).rejects.toMatchObject(cut),
    ]);
  });

  it('sends a read four times where the server is not there for a moment, and tells of each repetition', async () => {
    const { store, repeats, methods } = await start(() => ({ code: 14, details: 'down' }));
    await expect(store.get(ref)).rejects.toMatchObject({ code: 'unavailable', retry: 'later' });
    expect(methods()).toEqual(Array.from({ length: 4 }, () => 'BatchGetDocuments'));
    expect(repeats).toEqual(Array.from({ length: 3 }, () => ({ what: 'read of c/a', code: 14 })));
  });

  it('sends a commit again only after it has looked whether it was applied', async () => {
    let asked = 0;
    const { store, repeats, methods } = await start((method) => {
      asked += 1;
      return method === 'Commit' && asked === 1
        ? { code: 10, details: 'Too much contention on these documents.' }
        : { code: 7, details: 'Missing or insufficient permissions.' };
    });
    await expect(store.create(ref, {})).rejects.toMatchObject({ code: 'config' });
    expect(methods()).toEqual(['Commit', 'BatchGetDocuments']);
    expect(repeats).toEqual([]);
  });
});
