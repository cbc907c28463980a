import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { randomBytes, randomUUID } from 'node:crypto';
import { MAX_BLOB_PAGE, MAX_SIGNED_URL_MS } from '../../shared/ports/blob-rules.ts';
import type { Blobs } from '../../shared/ports/blobs.ts';

export interface BlobsUnderTest {
  blobs: Blobs;
  close(): Promise<void>;
}

/** What every blob store does, whatever it is made of. Each case has a prefix of its own. */
export function blobsContract(name: string, make: () => Promise<BlobsUnderTest>): void {
  describe(`${name} as blobs`, () => {
    let under: BlobsUnderTest;
    let blobs: Blobs;
    let prefix: string;

    beforeAll(async () => {
      under = await make();
      blobs = under.blobs;
    });
    beforeEach(() => {
      prefix = `p-${randomUUID()}`;
    });
    afterAll(async () => {
      await under.close();
    });

    const text = async (key: string) => {
      const bytes = await blobs.get(key);
      return bytes === undefined ? undefined : new TextDecoder().decode(bytes);
    };

    it('gives back the bytes that were put, and nothing for what is not there', async () => {
      const bytes = Uint8Array.from({ length: 1000 }, (_, n) => n % 256);
      expect(await blobs.put(`${prefix}/a.bin`, bytes, { contentType: 'application/octet-stream' })).toBe(
        'stored',
      );
      expect(Buffer.from((await blobs.get(`${prefix}/a.bin`)) ?? []).equals(bytes)).toBe(true);
      await blobs.put(`${prefix}/empty`, '');
      expect(await text(`${prefix}/empty`)).toBe('');
      expect(await blobs.get(`${prefix}/none`)).toBeUndefined();
      expect(await blobs.get(`${prefix}/a.bin/below`)).toBeUndefined();
      expect(await blobs.get(prefix)).toBeUndefined();
    });

    it('replaces what is there, unless it is asked to write only where nothing is', async () => {
      const key = `${prefix}/a`;
      expect(await blobs.put(key, 'one', { ifAbsent: true })).toBe('stored');
      expect(await blobs.put(key, 'two', { ifAbsent: true })).toBe('exists');
      expect(await text(key)).toBe('one');
      expect(await blobs.put(key, 'three')).toBe('stored');
      expect(await text(key)).toBe('three');
    });

    it('gives back ten megabytes as they were put, also where less was, and less where they were', async () => {
      const key = `${prefix}/large`;
      const large = randomBytes(10 * 1024 * 1024);
      await blobs.put(key, 'small');
      expect(await blobs.put(key, large)).toBe('stored');
      expect(await blobs.put(key, new Uint8Array(large.byteLength), { ifAbsent: true })).toBe('exists');
      expect(large.equals((await blobs.get(key)) ?? new Uint8Array())).toBe(true);
      await blobs.put(key, 'small again');
      expect(await text(key)).toBe('small again');
    });

    it('takes every key that its rules allow', async () => {
      const odd = [
        '-',
        '_',
        '...',
        '.hidden',
        'a.b-c_D.9',
        'CON',
        'x'.repeat(200),
        'o/o',
        'b/upload/storage/v1',
      ];
      const longest = Array.from({ length: 5 }, () => 'y'.repeat(199)).join('/');
      const keys = [...odd.map((key) => `${prefix}/${key}`), `${prefix}/${longest}`.slice(0, 1000)];
      for (const key of keys) expect(await blobs.put(key, key, { ifAbsent: true })).toBe('stored');
      expect(await Promise.all(keys.map(text))).toEqual(keys);
      const listed = await blobs.list(`${prefix}/`, { limit: 100 });
      expect(listed.keys).toEqual(keys.toSorted());
      await Promise.all(keys.map((key) => blobs.delete(key)));
      expect(await blobs.list(`${prefix}/`, { limit: 100 })).toEqual({ keys: [] });
    });

    it('lets exactly one of many writers be the first', async () => {
      const outcomes = await Promise.all(
        Array.from({ length: 10 }, (_, n) => blobs.put(`${prefix}/a`, `${n}`, { ifAbsent: true })),
      );
      expect(outcomes.filter((outcome) => outcome === 'stored')).toHaveLength(1);
      expect(await text(`${prefix}/a`)).toBe(String(outcomes.indexOf('stored')));
    });

    it('never shows half of what is being written', async () => {
      const key = `${prefix}/a`;
      await blobs.put(key, 'x'.repeat(200_000));
      const writes = Array.from({ length: 10 }, (_, n) =>
        blobs.put(key, (n % 2 === 0 ? 'y' : 'x').repeat(200_000)),
      );
      for (let turn = 0; turn < 30; turn += 1) {
        const seen = (await text(key)) ?? '';
        expect(seen).toHaveLength(200_000);
        expect(new Set(seen).size).toBe(1);
      }
      await Promise.all(writes);
    });

    it('holds a blob and blobs below its key at once', async () => {
      await blobs.put(`${prefix}/a/b`, 'below');
      await blobs.put(`${prefix}/a`, 'above');
      await blobs.put(`${prefix}/a/b/c`, 'deepest');
      expect(await Promise.all([`${prefix}/a`, `${prefix}/a/b`, `${prefix}/a/b/c`].map(text))).toEqual([
        'above',
        'below',
        'deepest',
      ]);
    });

    it('deletes one blob, and again without complaint', async () => {
      await blobs.put(`${prefix}/a`, '1');
      await blobs.put(`${prefix}/a/b`, '2');
      await blobs.delete(`${prefix}/a`);
      await blobs.delete(`${prefix}/a`);
      await blobs.delete(`${prefix}/none/at/all`);
      expect(await text(`${prefix}/a`)).toBeUndefined();
      expect(await text(`${prefix}/a/b`)).toBe('2');
    });

    it('lists the keys under a prefix of any length in ascending order', async () => {
      const keys = ['r1/b', 'r1/a', 'r1', 'r1-x/a', 'r1.y', 'r1/a/z', 'r10/a', 'r2/a', 'R1/a'].map(
        (key) => `${prefix}/${key}`,
      );
      for (const key of keys) await blobs.put(key, key);
      const wanted = (start: string) =>
        keys.filter((key) => key.startsWith(start)).toSorted((a, b) => (a < b ? -1 : 1));
      for (const start of [
        `${prefix}/`,
        `${prefix}/r1`,
        `${prefix}/r1/`,
        `${prefix}/r1/a`,
        `${prefix}/r10/`,
        `${prefix}/r3`,
      ]) {
        expect((await blobs.list(start, { limit: 100 })).keys).toEqual(wanted(start));
      }
    });

    it('lists in pages without gap or repeat, and says when there is no more', async () => {
      const keys = Array.from({ length: 7 }, (_, n) => `${prefix}/${n % 2 === 0 ? 'even' : 'odd'}/${n}`);
      for (const key of keys) await blobs.put(key, '');
      for (const limit of [1, 2, 7]) {
        const found: string[] = [];
        let cursor: string | undefined;
        do {
          const page = await blobs.list(`${prefix}/`, cursor === undefined ? { limit } : { limit, cursor });
          expect(page.keys.length).toBeLessThanOrEqual(limit);
          found.push(...page.keys);
          cursor = page.cursor;
        } while (cursor !== undefined && found.length < 100);
        expect(found).toEqual(keys.toSorted());
      }
      for (const limit of [0, MAX_BLOB_PAGE + 1]) {
        await expect(blobs.list(prefix, { limit })).rejects.toMatchObject({ code: 'invalid' });
      }
    });

    it('goes on with a list whose last page was deleted', async () => {
      const keys = Array.from({ length: 5 }, (_, n) => `${prefix}/${n}`);
      for (const key of keys) await blobs.put(key, '');
      const { keys: first, cursor = '' } = await blobs.list(`${prefix}/`, { limit: 2 });
      await Promise.all(first.map((key) => blobs.delete(key)));
      expect((await blobs.list(`${prefix}/`, { limit: 10, cursor })).keys).toEqual(keys.slice(2));
    });

    it.each([
      '',
      '/a',
      'a/',
      'a//b',
      '.',
      '..',
      '../a',
      'a/../../b',
      'a/./b',
      'a\\b',
      'a\0b',
      'ä',
      'a b',
      '~',
      '%2e%2e/a',
      'x'.repeat(201),
    ])('refuses the key %j', async (key) => {
      const refused = { code: 'invalid' };
      await expect(blobs.put(key, 'x')).rejects.toMatchObject(refused);
      await expect(blobs.put(key, 'x', { ifAbsent: true })).rejects.toMatchObject(refused);
      await expect(blobs.get(key)).rejects.toMatchObject(refused);
      await expect(blobs.delete(key)).rejects.toMatchObject(refused);
      await expect(blobs.signUrl({ key, method: 'GET', expiresInMs: 1000 })).rejects.toMatchObject(refused);
    });

    it('signs URLs that differ by key, method and time, and only for a bounded time', async () => {
      const [get, put] = [{ method: 'GET' } as const, { method: 'PUT' } as const];
      const urls = await Promise.all([
        blobs.signUrl({ key: `${prefix}/a`, ...get, expiresInMs: 60_000 }),
        blobs.signUrl({ key: `${prefix}/a`, ...put, expiresInMs: 60_000 }),
        blobs.signUrl({ key: `${prefix}/b`, ...get, expiresInMs: 60_000 }),
        blobs.signUrl({ key: `${prefix}/a`, ...get, expiresInMs: 120_000 }),
      ]);
      expect(new Set(urls).size).toBe(4);
      for (const url of urls) expect(new URL(url).pathname).toContain(prefix);
      for (const expiresInMs of [0, -1, Number.NaN, MAX_SIGNED_URL_MS + 1]) {
        await expect(blobs.signUrl({ key: 'a', ...get, expiresInMs })).rejects.toMatchObject({
          code: 'invalid',
        });
      }
    });
  });
}
