import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createFileBlobs } from '../../../../shared/adapters/local/file-blobs.ts';
import { verifySignedUrl } from '../../../../shared/adapters/local/signed-url.ts';
import { blobsContract } from '../../../contract/blobs-contract.ts';
import { realClock } from '../../../support/real-clock.ts';

const NOW = 1_800_000_000_000;
const secret = 'a secret of this test';
const clock = { ...realClock, now: () => NOW };

function make(directory: string) {
  return createFileBlobs({ directory, baseUrl: 'http://127.0.0.1:8080/', secret, clock });
}

// oxlint-disable-next-line typescript/require-await
blobsContract('files', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'penstock-blobs-'));
  return {
    blobs: make(directory),
    // oxlint-disable-next-line typescript/require-await
    close: async () => rmSync(directory, { recursive: true }),
  };
});

describe('file blobs', () => {
  let directory: string;
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'penstock-blobs-'));
  });
  afterEach(() => {
    rmSync(directory, { recursive: true });
  });

  it('are plain files under their own names, and leave nothing half written behind', async () => {
    const blobs = make(directory);
    await blobs.put('transcripts/r/0.jsonl', 'line\n');
    await blobs.put('transcripts/r/0.jsonl', 'other\n', { ifAbsent: true });
    expect(readFileSync(join(directory, 'transcripts~', 'r~', '0.jsonl'), 'utf8')).toBe('line\n');
    expect(readdirSync(join(directory, '+incoming'))).toEqual([]);
  });

  it('list nothing where nothing was ever put', async () => {
    expect(await make(join(directory, 'none')).list('', { limit: 10 })).toEqual({ keys: [] });
  });

  describe('a signed URL', () => {
    const signed = () => make(directory).signUrl({ key: 'r/blobs/a.txt', method: 'PUT', expiresInMs: 1000 });
    const check = (url: string, change: object = {}) =>
      verifySignedUrl({ secret, url, method: 'PUT', now: NOW, ...change });

    it('is good for its key, method and time, absolute or from the path on', async () => {
      const url = await signed();
      expect(url).toMatch(
        /^http:\/\/127\.0\.0\.1:8080\/blobs\/r\/blobs\/a\.txt\?method=PUT&expires=1800000001000&signature=/,
      );
      const valid = { outcome: 'valid', key: 'r/blobs/a.txt', expiresAt: NOW + 1000 };
      expect(check(url)).toEqual(valid);
      expect(check(url.slice('http://127.0.0.1:8080'.length))).toEqual(valid);
      expect(check(url, { now: NOW + 999 })).toEqual(valid);
    });

    it('is refused when it is late, and when anything in it is changed', async () => {
      const url = await signed();
      expect(check(url, { now: NOW + 1000 })).toEqual({ outcome: 'refused', reason: 'expired' });
      const wrong = { outcome: 'refused', reason: 'wrong signature' };
      expect(check(url, { method: 'GET' })).toEqual(wrong);
      expect(check(url, { secret: 'another' })).toEqual(wrong);
      expect(check(url.replace('a.txt', 'b.txt'))).toEqual(wrong);
      expect(check(url.replace('r/blobs/', 'r/../r2/blobs/'))).toEqual(wrong);
      expect(check(url.replace('expires=18', 'expires=19'))).toEqual(wrong);
      expect(check(url.replace('method=PUT', 'method=GET'), { method: 'GET' })).toEqual(wrong);
      expect(check(url.replace(/signature=.*/, 'signature='))).toEqual(wrong);
      expect(check(url.replace(/signature=...../, 'signature=AAAAA'))).toEqual(wrong);
    });

    it.each([
      '',
      '/',
      '/blobs/',
      '/other/a?method=GET&expires=1',
      '/blobs/a?method=DELETE&expires=1&signature=x',
      '/blobs/%2e%2e%2fa?method=GET&expires=1',
      'http://[',
    ])('is refused as malformed: %j', (url) => {
      expect(check(url)).toEqual({ outcome: 'refused', reason: 'malformed' });
    });
  });
});
