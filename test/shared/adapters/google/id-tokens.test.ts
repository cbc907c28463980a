import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createIdTokens } from '../../../../shared/adapters/google/id-tokens.ts';

const AUDIENCE = 'https://attempts.example';
const PATH = '/computeMetadata/v1/instance/service-accounts/default/identity';

/** Answers as the metadata server of Google Cloud does. */
describe('ID tokens of the metadata server', () => {
  let asked: string[] = [];
  let isAway = false;
  /** What it gives; without it `token-1`, `token-2` and so on, which say no end. */
  let token: string | undefined;
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? '', 'http://metadata');
    const isRight = request.headers['metadata-flavor'] === 'Google' && url.pathname === PATH;
    asked.push(`${url.searchParams.get('audience')}`);
    response.writeHead(isAway ? 500 : isRight ? 200 : 404, { 'metadata-flavor': 'Google' });
    response.end(token ?? `token-${asked.length}`);
  });
  const before = process.env['GCE_METADATA_HOST'];
  beforeAll(async () => {
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    process.env['GCE_METADATA_HOST'] = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  beforeEach(() => {
    asked = [];
    token = undefined;
  });
  afterAll(() => {
    if (before === undefined) delete process.env['GCE_METADATA_HOST'];
    else process.env['GCE_METADATA_HOST'] = before;
    server.close();
  });

  it('are asked for once for many calls, and again before they end', async () => {
    let now = 0;
    const idToken = createIdTokens({ audience: AUDIENCE, clock: { now: () => now } });
    expect(await Promise.all([idToken(), idToken()])).toEqual(['token-1', 'token-1']);
    now = 54 * 60_000;
    expect(await idToken()).toBe('token-1');
    now = 56 * 60_000;
    expect(await idToken()).toBe('token-2');
    expect(asked).toEqual([AUDIENCE, AUDIENCE]);
  });

  it('are asked for again before their own end, for the server may have kept one for a while', async () => {
    let now = 0;
    const idToken = createIdTokens({ audience: AUDIENCE, clock: { now: () => now } });
    token = endingAt(20 * 60_000);
    expect(await idToken()).toBe(token);
    now = 14 * 60_000;
    await idToken();
    expect(asked).toHaveLength(1);
    now = 16 * 60_000;
    await Promise.all([idToken(), idToken()]);
    expect(asked).toHaveLength(2);
  });

  it('are not kept once refused, and one that came since is', async () => {
    const idToken = createIdTokens({ audience: AUDIENCE, clock: { now: () => 0 } });
    expect(await idToken()).toBe('token-1');
    expect(await Promise.all([idToken('token-1'), idToken('token-1')])).toEqual(['token-2', 'token-2']);
    expect(await idToken('token-1')).toBe('token-2');
    expect(asked).toHaveLength(2);
  });

  it('are asked for again after a failure, which says for whom the token was', async () => {
    isAway = true;
    const idToken = createIdTokens({ audience: AUDIENCE, clock: { now: () => 0 } });
    await expect(idToken()).rejects.toThrow(`ID token for ${AUDIENCE}`);
    isAway = false;
    expect(await idToken()).toMatch(/^token-/);
  });
});

/** A token with that end, which nobody has signed. */
function endingAt(endMs: number): string {
  const part = (claims: object) => Buffer.from(JSON.stringify(claims)).toString('base64url');
  return `${part({ alg: 'RS256' })}.${part({ aud: AUDIENCE, exp: endMs / 1_000 })}.signature`;
}
