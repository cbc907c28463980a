import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { crc32c } from './crc32c.ts';
import { startStorageStandIn, type StorageStandIn } from './storage-stand-in.ts';

const OBJECTS = '/storage/v1/b/penstock-test/o';
const UPLOAD = '/upload/storage/v1/b/penstock-test/o';

describe('The stand-in of Cloud Storage', () => {
  let standIn: StorageStandIn;
  beforeEach(async () => {
    standIn = await startStorageStandIn({ isOpen: true });
  });
  afterEach(async () => {
    await standIn.stop();
  });

  const send = (method: string, target: string, init: RequestInit = {}) =>
    fetch(`${standIn.url}${target}`, { method, ...init });
  const related = (parts: string[], type = 'multipart/related; boundary=x') => ({
    headers: { 'content-type': type },
    body: `${parts.map((part) => `--x\r\n${part}\r\n`).join('')}--x--`,
  });
  const JSON_PART = 'content-type: application/json\r\n\r\n{"metadata":{"k":"v"}}';
  const MEDIA_PART = 'content-type: text/x-a\r\n\r\ncontent';
  const multipart = `${UPLOAD}?uploadType=multipart&name=a`;

  it('keeps an object with its generation, hashes, type and metadata', async () => {
    const inserted = await send('POST', multipart, related([JSON_PART, MEDIA_PART]));
    const resource = (await inserted.json()) as Record<string, string>;
    expect(resource).toMatchObject({
      kind: 'storage#object',
      bucket: 'penstock-test',
      name: 'a',
      size: '7',
      contentType: 'text/x-a',
      metadata: { k: 'v' },
      md5Hash: 'mgNkuembtIDdJeHwKEyFVQ==',
      crc32c: crc32c(Buffer.from('content')),
    });
    const media = await send('GET', `${OBJECTS}/a?alt=media`);
    expect(await media.text()).toBe('content');
    expect(media.headers.get('x-goog-generation')).toBe(resource['generation']);
    const again = await send('POST', `${multipart}&ifGenerationMatch=0`, related([JSON_PART, MEDIA_PART]));
    expect(again.status).toBe(412);
    expect(await again.json()).toMatchObject({
      error: { code: 412, errors: [{ reason: 'conditionNotMet' }] },
    });
    const replaced = `${multipart}&ifGenerationMatch=${resource['generation']}`;
    expect((await send('POST', replaced, related([JSON_PART, MEDIA_PART]))).status).toBe(200);
    expect(standIn.unpublished).toEqual([]);
  });

  it('computes CRC-32C as it is published', () => {
    // The check value of the catalogue of CRCs.
    expect(crc32c(Buffer.from('123456789'))).toBe(Buffer.from('e3069283', 'hex').toString('base64'));
  });

  it.each<[string, string, string, RequestInit?]>([
    ['an unknown method', 'PATCH', `${OBJECTS}/a`],
    ['an object name with a bare slash', 'GET', `${OBJECTS}/a/b`],
    ['an unknown query parameter', 'GET', `${OBJECTS}?prefx=a`],
    ['a page of nothing', 'GET', `${OBJECTS}?maxResults=0`],
    ['an unknown field', 'GET', `${OBJECTS}?fields=items(name),next`],
    ['an upload without a kind', 'POST', `${UPLOAD}?name=a`, related([JSON_PART, MEDIA_PART])],
    ['an upload of one part', 'POST', multipart, related([JSON_PART])],
    ['an upload whose first part is no JSON', 'POST', multipart, related([MEDIA_PART, MEDIA_PART])],
    ['an upload of another type', 'POST', multipart, related([JSON_PART, MEDIA_PART], 'multipart/mixed')],
    ['metadata that is no text', 'POST', multipart, related([JSON_PART.replace('"v"', '1'), MEDIA_PART])],
    ['an object without a name', 'POST', `${UPLOAD}?uploadType=multipart`, related([JSON_PART, MEDIA_PART])],
    ['a token request that signs nothing', 'POST', '/token', { body: 'grant_type=x' }],
  ])('refuses %s, and says so to the test', async (_, method, target, init = {}) => {
    const response = await send(method, target, init);
    expect([400, 404]).toContain(response.status);
    await response.text();
    expect(standIn.unpublished).toHaveLength(1);
    expect(standIn.unpublished[0]).toContain(`${method} ${target}`);
  });

  describe('in a resumable upload', () => {
    const PIECE = 256 * 1024;

    async function begin(query = ''): Promise<string> {
      const headers = { 'x-upload-content-length': String(2 * PIECE), 'x-upload-content-type': 'text/x-b' };
      const response = await send('POST', `${UPLOAD}?uploadType=resumable&name=a${query}`, { headers });
      return response.headers.get('location') ?? '';
    }
    const put = (uri: string, range: string, bytes = 0) =>
      fetch(uri, { method: 'PUT', headers: { 'content-range': range }, body: Buffer.alloc(bytes, 'a') });

    it('says what it has, and takes the rest', async () => {
      const uri = await begin();
      expect((await put(uri, 'bytes */*')).headers.get('range')).toBeNull();
      const half = await put(uri, `bytes 0-${PIECE - 1}/${2 * PIECE}`, PIECE);
      expect([half.status, half.headers.get('range')]).toEqual([308, `bytes=0-${PIECE - 1}`]);
      // What it has already may come again.
      const rest = await put(uri, `bytes 0-*/${2 * PIECE}`, 2 * PIECE);
      expect(await rest.json()).toMatchObject({ size: String(2 * PIECE), contentType: 'text/x-b' });
      expect((await put(uri, 'bytes */*')).status).toBe(200);
      expect(standIn.unpublished).toEqual([]);
    });

    it.each<[string, string, number]>([
      ['a gap', `bytes ${PIECE}-*/${2 * PIECE}`, PIECE],
      ['a piece of an odd size', `bytes 0-99/${2 * PIECE}`, 100],
      ['another length than was declared', 'bytes 0-99/100', 100],
      ['a range that is none', 'bytes 0', 100],
      ['a range of another length than the body', `bytes 0-${PIECE - 1}/*`, 100],
    ])('refuses %s', async (_, range, bytes) => {
      expect((await put(await begin(), range, bytes)).status).toBe(400);
      expect(standIn.unpublished).toHaveLength(1);
    });

    it('knows its own sessions only, and checks the generation at both ends', async () => {
      const none = `${standIn.url}${UPLOAD}?uploadType=resumable&name=a&upload_id=${randomUUID()}`;
      expect((await put(none, 'bytes */*')).status).toBe(404);
      const uri = await begin('&ifGenerationMatch=0');
      await send('POST', multipart, related([JSON_PART, MEDIA_PART]));
      expect((await put(uri, `bytes 0-*/${2 * PIECE}`, 2 * PIECE)).status).toBe(412);
      expect(await begin('&ifGenerationMatch=0')).toBe('');
    });
  });
});
