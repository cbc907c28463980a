import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { createStorageBlobs } from '../../../../shared/adapters/google/storage-blobs.ts';
import { createStorageClient } from '../../../../shared/adapters/google/storage-client.ts';
import type { Blobs } from '../../../../shared/ports/blobs.ts';
import { blobsContract } from '../../../contract/blobs-contract.ts';
import { connectStorage } from '../../../support/google/connect-storage.ts';
import type { StorageFailure } from '../../../support/google/storage-failures.ts';
import { startStorageStandIn, type StorageStandIn } from '../../../support/google/storage-stand-in.ts';

const BUCKET = 'penstock-test';
const RESUMABLE_FROM_BYTES = 1024 * 1024;
/** What makes the cases quick. */
const SMALL = { resumableFromBytes: RESUMABLE_FROM_BYTES, pauseMs: 5 };
const MAX_TRIES = 4;
const LARGE = randomBytes(RESUMABLE_FROM_BYTES + 1);

blobsContract('Cloud Storage', async () => {
  const standIn = await startStorageStandIn();
  return {
    blobs: createStorageBlobs({ storage: connectStorage(standIn), bucket: BUCKET, pauseMs: 5 }),
    close: async () => {
      await standIn.stop();
      expect(standIn.unpublished).toEqual([]);
    },
  };
});

describe('Cloud Storage blobs', () => {
  let standIn: StorageStandIn;
  let blobs: Blobs;
  beforeEach(async () => {
    standIn = await startStorageStandIn();
    blobs = open(standIn);
  });
  afterEach(async () => {
    await standIn.stop();
    expect(standIn.unpublished).toEqual([]);
  });

  const text = async (key: string) => Buffer.from((await blobs.get(key)) ?? []).toString();
  const countOf = (operation: string) => standIn.calls.filter((call) => call.operation === operation).length;

  describe('a put', () => {
    it.each<[string, StorageFailure]>([
      ['503', { as: 503, isApplied: true }],
      ['a broken connection', { as: 'reset', isApplied: true }],
      ['500', { as: 500, isApplied: true }],
    ])('that was applied and answered by %s is stored, once', async (_, failure) => {
      standIn.failNext('objects.insert', failure);
      expect(await blobs.put('a', 'one', { ifAbsent: true })).toBe('stored');
      expect(countOf('objects.insert')).toBe(1);
      expect(await blobs.put('a', 'two', { ifAbsent: true })).toBe('exists');
      standIn.failNext('objects.insert', failure);
      expect(await blobs.put('a', 'three')).toBe('stored');
      expect(countOf('objects.insert')).toBe(3);
      expect(await text('a')).toBe('three');
    });

    it.each<[string, StorageFailure]>([
      ['503', { as: 503 }],
      ['429', { as: 429 }],
      ['a broken connection', { as: 'reset' }],
    ])('that was not applied and answered by %s is done again', async (_, failure) => {
      for (const ifAbsent of [true, false]) {
        standIn.failNext('objects.insert', { ...failure, times: 2 });
        expect(await blobs.put(`a${ifAbsent}`, 'one', { ifAbsent })).toBe('stored');
        expect(await text(`a${ifAbsent}`)).toBe('one');
      }
      expect(countOf('objects.insert')).toBe(6);
    });

    it('gives up after some tries, and says that a later one may help', async () => {
      standIn.failNext('objects.insert', { as: 503, times: MAX_TRIES });
      await expect(blobs.put('a', 'one')).rejects.toMatchObject({
        code: 'unavailable',
        retry: 'later',
        message: expect.stringContaining('put of blob a in bucket penstock-test'),
      });
      expect(countOf('objects.insert')).toBe(MAX_TRIES);
    });

    it('is the first of two for one of them, also where both answers are lost', async () => {
      standIn.failNext('objects.insert', { as: 503, isApplied: true, times: 2 });
      const outcomes = await Promise.all(
        ['one', 'two'].map((content) => blobs.put('a', content, { ifAbsent: true })),
      );
      expect(outcomes.toSorted()).toEqual(['exists', 'stored']);
      expect(await text('a')).toBe(outcomes[0] === 'stored' ? 'one' : 'two');
    });

    it('writes where nothing is any more when it looks for what was in its way', async () => {
      await blobs.put('a', 'one');
      standIn.failNext('objects.insert', {
        as: 412,
        meanwhile: () => open(standIn).delete('a'),
      });
      expect(await blobs.put('a', 'two', { ifAbsent: true })).toBe('stored');
      expect(await text('a')).toBe('two');
    });

    it('that was answered too late is looked for', async () => {
      const hasty = open(standIn, { timeoutMs: 1000 });
      await hasty.put('warm', '');
      standIn.failNext('objects.insert', { as: { lateMs: 5000 } });
      expect(await hasty.put('a', 'one', { ifAbsent: true })).toBe('stored');
      expect(countOf('objects.insert')).toBe(2);
    });
  });

  describe('a large put', () => {
    const continued = () =>
      standIn.calls
        .filter(({ operation }) => operation === 'objects.insert.continue')
        .map(({ headers }) => headers['content-range']);

    it('is resumable from one size on, and one request below it', async () => {
      await blobs.put('small', LARGE.subarray(0, RESUMABLE_FROM_BYTES - 1), { contentType: 'text/x-a' });
      await blobs.put('large', LARGE.subarray(0, RESUMABLE_FROM_BYTES), { contentType: 'text/x-b' });
      expect(standIn.calls.map(({ operation }) => operation).filter((name) => name !== 'token')).toEqual([
        'objects.insert',
        'objects.insert.start',
        'objects.insert.continue',
      ]);
      const types = await Promise.all(
        ['small', 'large'].map(async (key) => {
          const response = await fetch(await blobs.signUrl({ key, method: 'GET', expiresInMs: 60_000 }));
          await response.body?.cancel();
          return response.headers.get('content-type');
        }),
      );
      expect(types).toEqual(['text/x-a', 'text/x-b']);
    });

    it('goes on where it broke', async () => {
      standIn.failNext('objects.insert.continue', { as: { cutAfterBytes: 512 * 1024 } });
      expect(await blobs.put('a', LARGE, { ifAbsent: true })).toBe('stored');
      expect(LARGE.equals((await blobs.get('a')) ?? new Uint8Array())).toBe(true);
      expect(continued()).toEqual([
        expect.stringMatching(/^bytes 0-/),
        'bytes */*',
        expect.stringMatching(new RegExp(`^bytes ${512 * 1024}-`)),
      ]);
    });

    it('that was applied and whose answer was lost is stored, and not sent again', async () => {
      standIn.failNext('objects.insert.continue', { as: 503, isApplied: true });
      expect(await blobs.put('a', LARGE, { ifAbsent: true })).toBe('stored');
      expect(continued()).toHaveLength(1);
    });

    it('begins again when its session is over', async () => {
      standIn.failNext('objects.insert.continue', {
        as: 503,
        // oxlint-disable-next-line typescript/require-await
        meanwhile: async () => standIn.expireSessions(),
      });
      expect(await blobs.put('a', LARGE, { ifAbsent: true })).toBe('stored');
      expect(countOf('objects.insert.start')).toBe(2);
      expect(LARGE.equals((await blobs.get('a')) ?? new Uint8Array())).toBe(true);
    });

    it('keeps its session out of its errors: whoever knows it may write the object', async () => {
      standIn.failNext('objects.insert.continue', { as: 'reset', times: MAX_TRIES });
      const failure: unknown = await blobs.put('a', LARGE).catch((error: unknown) => error);
      expect(failure).toMatchObject({ code: 'unavailable', retry: 'later' });
      expect(continued()).toHaveLength(MAX_TRIES);
      expect(inspect(failure, { depth: 9 })).toContain('upload_id=…');
      expect(inspect(failure, { depth: 9 })).not.toMatch(/upload_id=[0-9a-f]/);
    });

    it('is not sent where something is already, and yields to who comes first', async () => {
      await blobs.put('a', 'first');
      expect(await blobs.put('a', LARGE, { ifAbsent: true })).toBe('exists');
      expect(continued()).toEqual([]);
      standIn.failNext('objects.insert.start', {
        as: { lateMs: 0 },
        meanwhile: () => open(standIn).put('b', 'first'),
      });
      expect(await blobs.put('b', LARGE, { ifAbsent: true })).toBe('exists');
      expect(await text('b')).toBe('first');
    });
  });

  describe('reading, listing and deleting', () => {
    it.each<StorageFailure>([{ as: 503 }, { as: 429 }, { as: 'reset' }, { as: { cutAfterBytes: 100_000 } }])(
      'reads again after %j',
      async (failure) => {
        await blobs.put('a', LARGE.subarray(0, 200_000));
        standIn.failNext('objects.get.media', failure);
        expect(Buffer.from((await blobs.get('a')) ?? []).equals(LARGE.subarray(0, 200_000))).toBe(true);
        expect(countOf('objects.get.media')).toBe(2);
      },
    );

    it('lists again after a passing fault', async () => {
      await blobs.put('a', '');
      standIn.failNext('objects.list', { as: 429, times: 2 });
      expect(await blobs.list('', { limit: 1 })).toEqual({ keys: ['a'] });
    });

    it('refuses a cursor that is none', async () => {
      const page = blobs.list('', { limit: 1, cursor: 'not a cursor' });
      await expect(page).rejects.toMatchObject({ code: 'invalid', retry: 'never' });
    });

    it('deletes once only: another may have written since', async () => {
      await blobs.put('a', 'one');
      standIn.failNext('objects.delete', {
        as: 503,
        isApplied: true,
        meanwhile: () => open(standIn).put('a', 'two'),
      });
      await expect(blobs.delete('a')).rejects.toMatchObject({ code: 'unavailable', retry: 'later' });
      expect(await text('a')).toBe('two');
    });

    it('gives up on a call without an answer', async () => {
      const hasty = open(standIn, { timeoutMs: 200, downloadTimeoutMs: 200 });
      const late = { as: { lateMs: 5000 }, times: MAX_TRIES };
      for (const operation of ['objects.delete', 'objects.get.media', 'objects.list']) {
        standIn.failNext(operation, late);
      }
      const timedOut = { code: 'timeout', retry: 'later' };
      await Promise.all([
        expect(hasty.get('a')).rejects.toMatchObject(timedOut),
        expect(hasty.list('', { limit: 1 })).rejects.toMatchObject(timedOut),
        expect(hasty.delete('b')).rejects.toMatchObject(timedOut),
      ]);
    });
  });

  describe('what has to be set up', () => {
    const everyCall = (any: Blobs) => [
      () => any.get('a'),
      () => any.put('a', 'one'),
      () => any.put('a', LARGE),
      () => any.list('', { limit: 1 }),
      () => any.delete('a'),
    ];

    it('is the bucket, which PENSTOCK_BUCKET names', async () => {
      const none = createStorageBlobs({ ...SMALL, storage: connectStorage(standIn), bucket: 'none-such' });
      for (const call of everyCall(none)) {
        await expect(call()).rejects.toMatchObject({
          code: 'config',
          retry: 'never',
          message: expect.stringMatching(/bucket does not exist.*PENSTOCK_BUCKET .*none-such/),
        });
      }
    });

    it('is the role of a user of objects', async () => {
      standIn.revoke('roles/storage.objectUser');
      for (const call of everyCall(blobs)) {
        await expect(call()).rejects.toMatchObject({
          code: 'config',
          retry: 'never',
          message: expect.stringMatching(/blob.* storage\.objects\..*grant roles\/storage\.objectUser/),
        });
      }
    });

    it('is a credential', async () => {
      const storage = createStorageClient({ projectId: 'p', apiEndpoint: standIn.url });
      for (const call of everyCall(createStorageBlobs({ ...SMALL, storage, bucket: BUCKET }))) {
        await expect(call()).rejects.toMatchObject({ code: 'config', retry: 'never' });
      }
    });
  });

  it('works where STORAGE_EMULATOR_HOST points, without a credential', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'penstock-storage-'));
    for (const content of ['one', 'two']) {
      // What the first one kept, the second one has.
      const emulator = await startStorageStandIn({ isOpen: true, folder });
      process.env['STORAGE_EMULATOR_HOST'] = emulator.url;
      const storage = createStorageClient({ projectId: 'p' });
      delete process.env['STORAGE_EMULATOR_HOST'];
      const there = createStorageBlobs({ ...SMALL, storage, bucket: BUCKET });
      const outcome = await there.put('a', content, { ifAbsent: true });
      expect(outcome).toBe(content === 'one' ? 'stored' : 'exists');
      expect(Buffer.from((await there.get('a')) ?? []).toString()).toBe('one');
      expect(await there.put(`large-${content}`, LARGE)).toBe('stored');
      expect((await there.list('', { limit: 9 })).keys).toHaveLength(content === 'one' ? 2 : 3);
      await emulator.stop();
      expect(emulator.unpublished).toEqual([]);
    }
    rmSync(folder, { recursive: true });
  });
});

function open(standIn: StorageStandIn, more: object = {}): Blobs {
  return createStorageBlobs({
    ...SMALL,
    storage: connectStorage(standIn),
    bucket: BUCKET,
    ...more,
  });
}
