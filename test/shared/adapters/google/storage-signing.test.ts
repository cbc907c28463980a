import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { setTimeout as sleep } from 'node:timers/promises';
import { createStorageBlobs } from '../../../../shared/adapters/google/storage-blobs.ts';
import type { Blobs } from '../../../../shared/ports/blobs.ts';
import { connectStorage, connectStorageKeyless } from '../../../support/google/connect-storage.ts';
import { startStorageStandIn, type StorageStandIn } from '../../../support/google/storage-stand-in.ts';

const BUCKET = 'penstock-test';
const TOKEN_CREATOR = 'roles/iam.serviceAccountTokenCreator';
const MINUTE = 60_000;

describe('A signed URL of Cloud Storage', () => {
  let standIn: StorageStandIn;
  let laterMs: number;
  beforeEach(async () => {
    laterMs = 0;
    standIn = await startStorageStandIn({ now: () => Date.now() + laterMs });
    process.env['GCE_METADATA_HOST'] = new URL(standIn.url).host;
    process.env['METADATA_SERVER_DETECTION'] = 'ping-only';
  });
  afterEach(async () => {
    await standIn.stop();
    expect(standIn.unpublished).toEqual([]);
  });

  const withKey = () => createStorageBlobs({ storage: connectStorage(standIn), bucket: BUCKET, pauseMs: 5 });
  const keyless = () =>
    createStorageBlobs({ storage: connectStorageKeyless(standIn), bucket: BUCKET, pauseMs: 5 });
  const signBlobs = () => standIn.calls.filter(({ operation }) => operation === 'serviceAccounts.signBlob');

  async function errorOf(response: Response): Promise<object> {
    const body = await response.text();
    return { status: response.status, code: /<Code>(\w+)<\/Code>/.exec(body)?.[1] };
  }

  async function expectUsable(blobs: Blobs): Promise<void> {
    const key = 'runs/r-1/a.b_c-d.txt';
    const put = await blobs.signUrl({ key, method: 'PUT', expiresInMs: MINUTE });
    const headers = { 'content-type': 'text/x-odd' };
    expect((await fetch(put, { method: 'PUT', body: 'content', headers })).status).toBe(200);
    const response = await fetch(await blobs.signUrl({ key, method: 'GET', expiresInMs: MINUTE }));
    expect([await response.text(), response.headers.get('content-type')]).toEqual(['content', 'text/x-odd']);
    expect(Buffer.from((await blobs.get(key)) ?? []).toString()).toBe('content');
  }

  it("takes and gives a blob without another credential, signed with an account's key", async () => {
    await expectUsable(withKey());
    expect(signBlobs()).toEqual([]);
  });

  it('takes and gives a blob without another credential, signed by IAM where there is no key', async () => {
    standIn.grant(TOKEN_CREATOR);
    await expectUsable(keyless());
    expect(signBlobs()).toHaveLength(2);
  });

  it('is for its time only', async () => {
    const blobs = withKey();
    await blobs.put('a', 'content');
    const url = await blobs.signUrl({ key: 'a', method: 'GET', expiresInMs: MINUTE });
    laterMs = MINUTE - 5000;
    expect((await fetch(url)).status).toBe(200);
    laterMs = MINUTE + 1001;
    expect(await errorOf(await fetch(url))).toEqual({ status: 400, code: 'ExpiredToken' });
    const longest = await blobs.signUrl({ key: 'a', method: 'GET', expiresInMs: 7 * 24 * 60 * MINUTE });
    expect((await fetch(longest)).status).toBe(200);
  });

  it('is for its key and method only', async () => {
    const blobs = withKey();
    await blobs.put('a', 'content');
    await blobs.put('b', 'other');
    const get = await blobs.signUrl({ key: 'a', method: 'GET', expiresInMs: MINUTE });
    const put = await blobs.signUrl({ key: 'a', method: 'PUT', expiresInMs: MINUTE });
    const refused = { status: 403, code: 'SignatureDoesNotMatch' };
    const misused = [
      fetch(get, { method: 'PUT', body: 'changed' }),
      fetch(put),
      fetch(get.replace('/a?', '/b?')),
      fetch(get.replace(/X-Goog-Expires=\d+/, 'X-Goog-Expires=86400')),
      fetch(get.replace(/X-Goog-Signature=.{8}/, 'X-Goog-Signature=00000000')),
    ];
    expect(await Promise.all(misused.map(async (call) => errorOf(await call)))).toEqual(
      misused.map(() => refused),
    );
    expect(Buffer.from((await blobs.get('a')) ?? []).toString()).toBe('content');
  });

  it('has no power of its own: what the account may not do, it may not', async () => {
    const url = await withKey().signUrl({ key: 'a', method: 'PUT', expiresInMs: MINUTE });
    standIn.revoke('roles/storage.objectUser');
    const response = await fetch(url, { method: 'PUT', body: 'content' });
    expect(await errorOf(response)).toEqual({ status: 403, code: 'AccessDenied' });
  });

  it('cannot be had without a key and the role to sign by IAM, which the error names', async () => {
    await expect(keyless().signUrl({ key: 'a', method: 'GET', expiresInMs: MINUTE })).rejects.toMatchObject({
      code: 'config',
      retry: 'never',
      message: expect.stringMatching(
        /blob a in bucket penstock-test.*grant roles\/iam\.serviceAccountTokenCreator/,
      ),
    });
  });

  it('is asked for again where IAM has yet to hear of its role', async () => {
    standIn.grant(TOKEN_CREATOR);
    standIn.failNext('serviceAccounts.signBlob', { as: 403 });
    const url = await keyless().signUrl({ key: 'a', method: 'GET', expiresInMs: MINUTE });
    expect(await errorOf(await fetch(url))).toEqual({ status: 404, code: 'NoSuchKey' });
  });

  it('is to be asked for later when IAM does not answer', async () => {
    standIn.grant(TOKEN_CREATOR);
    standIn.failNext('serviceAccounts.signBlob', { as: { lateMs: 300 } });
    const hasty = { storage: connectStorageKeyless(standIn), bucket: BUCKET, timeoutMs: 200 };
    const late = createStorageBlobs(hasty).signUrl({ key: 'a', method: 'GET', expiresInMs: MINUTE });
    await expect(late).rejects.toMatchObject({ code: 'timeout', retry: 'later' });
    // A connection that broke under it would be tried again by the library, beyond the end of this test.
    await sleep(200);
  });
});
