import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createGoogleCredentials } from '../../../../shared/adapters/google/google-credentials.ts';
import { createGoogleRest, type GoogleRest } from '../../../../shared/adapters/google/google-rest.ts';

const CALL = { what: 'read of thing t1', role: 'roles/things.reader', timeoutMs: 5_000 };

describe('calls to a REST API of Google', () => {
  let server: Server;
  let rest: GoogleRest;
  let url: string;
  let received: { url: string | undefined; authorization: string | undefined }[];
  let answer: { status: number; text: string };
  const get = (path = '/v1/things/t1') => rest<{ id: string }>(CALL, { method: 'GET', path });

  beforeEach(async () => {
    received = [];
    answer = { status: 200, text: '{"id":"t1"}' };
    server = createServer((request, response) => {
      received.push({ url: request.url, authorization: request.headers.authorization });
      response.writeHead(answer.status).end(answer.text);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    rest = createGoogleRest({ baseUrl: `${url}/`, auth: createGoogleCredentials(url) });
  });
  afterEach(() => void server.close());

  it('carry parameters, encoded, and over plain http a token that is worth nothing', async () => {
    const query = { pageSize: '10', pageToken: 'a&b=c' };
    expect(await rest(CALL, { method: 'GET', path: '/v1/things', query })).toEqual({ id: 't1' });
    expect(received).toEqual([
      { url: '/v1/things?pageSize=10&pageToken=a%26b%3Dc', authorization: 'Bearer for-a-stand-in' },
    ]);
  });

  it.each([
    [400, 'INVALID_ARGUMENT', { code: 'invalid', retry: 'never' }],
    [401, 'UNAUTHENTICATED', { code: 'config', retry: 'never' }],
    [403, 'PERMISSION_DENIED', { code: 'config', retry: 'never' }],
    [404, 'NOT_FOUND', { code: 'config', retry: 'never' }],
    [409, 'ALREADY_EXISTS', { code: 'conflict', retry: 'never' }],
    [409, 'ABORTED', { code: 'unavailable', retry: 'later' }],
    [429, 'RESOURCE_EXHAUSTED', { code: 'rate_limited', retry: 'later' }],
    [500, 'INTERNAL', { code: 'unavailable', retry: 'later' }],
    [503, 'UNAVAILABLE', { code: 'unavailable', retry: 'later' }],
    [504, 'DEADLINE_EXCEEDED', { code: 'timeout', retry: 'later' }],
  ])('that are answered %i %s fail as what it means', async (status, reason, meaning) => {
    answer = {
      status,
      text: JSON.stringify({ error: { code: status, message: 'so it is', status: reason } }),
    };
    await expect(get()).rejects.toMatchObject({ name: 'PenstockError', ...meaning });
    await expect(get()).rejects.toThrow(/^read of thing t1: so it is; /);
    expect(received).toHaveLength(2);
  });

  it('take a spent quota for one, although it comes as a 403', async () => {
    const error = { code: 403, message: 'slow down', errors: [{ reason: 'rateLimitExceeded' }] };
    answer = { status: 403, text: JSON.stringify({ error }) };
    await expect(get()).rejects.toMatchObject({ code: 'rate_limited', retry: 'later' });
  });

  it.each([200, 502])('say nothing certain when a page comes in place of an answer (%i)', async (status) => {
    answer = { status, text: '<title>Error</title>' };
    await expect(get()).rejects.toMatchObject({ code: 'unavailable', retry: 'later' });
  });

  it('are not made without a token', async () => {
    const auth = {
      getRequestHeaders: () => Promise.reject(new Error('Could not load the default credentials.')),
    };
    rest = createGoogleRest({ baseUrl: url, auth });
    await expect(get()).rejects.toMatchObject({ code: 'config', retry: 'never' });
    expect(received).toEqual([]);
  });
});
