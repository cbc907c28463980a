import { afterAll, expect, it } from '@jest/globals';
import { type JWTPayload, SignJWT } from 'jose';
import { createIapIdentity } from '../../../../shared/adapters/google/iap-identity.ts';
import type { Caller, CallerOf } from '../../../../shared/ports/identity.ts';
import {
  type IdentityCases,
  identityContract,
  type IdentityRequest,
} from '../../../contract/identity-contract.ts';
import { makeSigningKey, startIssuer } from '../../../support/issuer.ts';

const NOW = Date.parse('2026-11-21T12:00:00Z');
const SECONDS = NOW / 1_000;
const AUDIENCE = '/projects/123456/global/backendServices/789';

const key = await makeSigningKey('iap');
const rsa = await makeSigningKey('rsa', 'RS256');
const foreign = await makeSigningKey('iap');
const server = await startIssuer(key, rsa);
afterAll(() => server.stop());

const callerOf: CallerOf = ({ email, domain }, tenant = 'local') =>
  Promise.resolve({
    tenant,
    actor: domain === undefined ? email : `${email} of ${domain}`,
    roles: ['developer'],
  });
const identity = createIapIdentity({
  callerOf,
  clock: { now: () => NOW },
  audience: AUDIENCE,
  keysUrl: server.keysUrl,
  keysCooldownMs: 0,
});

/** As Google publishes it: no claim says that the address is verified. */
const claims = {
  iss: 'https://cloud.google.com/iap',
  aud: AUDIENCE,
  sub: 'accounts.google.com:1',
  iat: SECONDS,
  exp: SECONDS + 600,
  email: 'ada@example.com',
  hd: 'example.com',
};
const from = (headers: Record<string, string>): IdentityRequest => ({
  headers: new Headers(headers),
  remoteAddress: '127.0.0.1',
});
const asserting = (assertion: string, headers = {}) =>
  from({ 'x-goog-iap-jwt-assertion': assertion, ...headers });
const sign = async (changes: JWTPayload = {}) => asserting(await key.sign({ ...claims, ...changes }));
const ada: Caller = { tenant: 'local', actor: 'ada@example.com of example.com', roles: ['developer'] };
const good = await key.sign(claims);
const publicKey = new TextEncoder().encode(JSON.stringify(key.publicJwk));
const { exp: _exp, ...forEver } = claims;
const { email: _email, ...nobody } = claims;

const welcome: IdentityCases['welcome'] = [
  ['who came through it', asserting(good), ada],
  ['who names a tenant', asserting(good, { 'x-penstock-tenant': 'acme' }), { ...ada, tenant: 'acme' }],
  [
    'an address that no organisation manages',
    await sign({ hd: undefined }),
    { ...ada, actor: 'ada@example.com' },
  ],
  [
    'a service account',
    await sign({ email: 'ci@p.iam.gserviceaccount.com', hd: undefined }),
    { ...ada, actor: 'ci@p.iam.gserviceaccount.com' },
  ],
  ['an assertion of 29 seconds ahead', await sign({ iat: SECONDS + 29 }), ada],
  ['an assertion that ended 29 seconds ago', await sign({ exp: SECONDS - 29 }), ada],
];
const refused: IdentityCases['refused'] = [
  ['who did not come through it', from({}), /Identity-Aware Proxy/],
  [
    'the headers without a signature, which anybody can send',
    from({ 'x-goog-authenticated-user-email': 'accounts.google.com:ada@example.com' }),
    /Identity-Aware Proxy/,
  ],
  ['the assertion as a bearer', from({ authorization: `Bearer ${good}` }), /Identity-Aware Proxy/],
  ['what is no assertion', asserting('abc'), /is not one/],
  ['two assertions', asserting(`${good}, ${good}`), /is not one/],
  ['another kind of key', asserting(await rsa.sign(claims)), /signed with ES256/],
  [
    'the public key taken for a secret',
    asserting(await new SignJWT(claims).setProtectedHeader({ alg: 'HS256', kid: 'iap' }).sign(publicKey)),
    /signed with ES256/,
  ],
  ['another key under its name', asserting(await foreign.sign(claims)), /signature is wrong/],
  [
    'the audience of another backend',
    await sign({ aud: `${AUDIENCE}0` }),
    /another audience; get one for \/projects/,
  ],
  ['another issuer', await sign({ iss: 'https://accounts.google.com' }), /another issuer/],
  ['an expired assertion', await sign({ exp: SECONDS - 31 }), /has expired/],
  ['an assertion for ever', asserting(await key.sign(forEver)), /claim exp/],
  ['an assertion of the future', await sign({ iat: SECONDS + 31 }), /in the future/],
  ['nobody’s assertion', asserting(await key.sign(nobody)), /no e-mail address/],
  [
    'an address that another identity provider vouches for',
    await sign({ email: 'securetoken.google.com/p/t:ada@example.com' }),
    /no e-mail address/,
  ],
];
identityContract('the Identity-Aware Proxy', () => ({ identity, welcome, refused }));

it('asks for a second try while Google’s keys cannot be had', async () => {
  server.fail(503);
  const fresh = createIapIdentity({
    callerOf,
    clock: { now: () => NOW },
    audience: AUDIENCE,
    keysUrl: server.keysUrl,
  });
  await expect(fresh.authenticate(asserting(good))).rejects.toMatchObject({
    code: 'unavailable',
    retry: 'later',
  });
  server.fail(undefined);
  expect(await fresh.authenticate(asserting(good))).toEqual(ada);
});
