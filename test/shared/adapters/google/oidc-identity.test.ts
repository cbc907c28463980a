import { afterAll, afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { type JWTPayload, SignJWT, UnsecuredJWT } from 'jose';
import {
  createOidcIdentity,
  type OidcIdentityConfig,
} from '../../../../shared/adapters/google/oidc-identity.ts';
import type { Caller, CallerOf } from '../../../../shared/ports/identity.ts';
import { identityContract, type IdentityRequest } from '../../../contract/identity-contract.ts';
import { type Issuer, makeSigningKey, startIssuer } from '../../../support/issuer.ts';

const NOW = Date.parse('2026-11-21T12:00:00Z');
const SECONDS = NOW / 1_000;
const AUDIENCE = 'https://api.example.com';
/** Well below the time that is allowed otherwise. */
const SOON_MS = 3_000;

const clock = { now: () => NOW };
const known = await makeSigningKey('first');
const rsa = await makeSigningKey('rsa', 'RS256');
const foreign = await makeSigningKey('first');
const unknown = await makeSigningKey('second');
const shared = await startIssuer(known, rsa);
afterAll(() => shared.stop());

/** Who a person is shows in what the members are asked. */
const callerOf: CallerOf = ({ email, domain }, tenant = 'local') =>
  Promise.resolve({
    tenant,
    actor: domain === undefined ? email : `${email} of ${domain}`,
    roles: ['developer'],
  });

function claimsOf(changes: JWTPayload = {}, issuer = shared.url): JWTPayload {
  return {
    iss: issuer,
    aud: AUDIENCE,
    sub: '1',
    iat: SECONDS,
    exp: SECONDS + 3_600,
    email: 'ada@example.com',
    email_verified: true,
    ...changes,
  };
}
const bearer = (token: string, headers: Record<string, string> = {}): IdentityRequest => ({
  headers: new Headers({ authorization: `Bearer ${token}`, ...headers }),
  remoteAddress: undefined,
});
const sign = async (changes: JWTPayload = {}, header: Record<string, unknown> = {}) =>
  bearer(await known.sign(claimsOf(changes), header));
const without = async (claim: string) => {
  const { [claim]: _left, ...claims } = claimsOf();
  return bearer(await known.sign(claims));
};
function open(config: Partial<OidcIdentityConfig> = {}) {
  return createOidcIdentity({ callerOf, clock, issuer: shared.url, audiences: [AUDIENCE], ...config });
}
const ada: Caller = { tenant: 'local', actor: 'ada@example.com of example.com', roles: ['developer'] };

const good = await known.sign(claimsOf());
const [header = '', payload = '', signature = ''] = good.split('.');
const forged = Buffer.from(JSON.stringify(claimsOf({ email: 'eve@example.com' }))).toString('base64url');
const asSecret = new TextEncoder().encode(JSON.stringify(known.publicJwk));
const withPublicKey = await new SignJWT(claimsOf())
  .setProtectedHeader({ alg: 'HS256', kid: known.kid })
  .sign(asSecret);
const unsigned = new UnsecuredJWT(claimsOf()).encode();
const { publicJwk: foreignJwk } = foreign;

const welcome: [string, IdentityRequest, Caller][] = [
  ['a token of the issuer (ES256)', bearer(good), ada],
  ['a token of the issuer (RS256)', bearer(await rsa.sign(claimsOf())), ada],
  ['a token for several audiences', await sign({ aud: ['https://other.example.com', AUDIENCE] }), ada],
  ['a token for another of our names', await sign({ aud: 'penstock' }), ada],
  ['an address in large letters', await sign({ email: 'Ada@Example.COM' }), ada],
  ['a token whose time is up by less than clocks differ', await sign({ exp: SECONDS - 29 }), ada],
  ['a token of a clock that is a little ahead', await sign({ iat: SECONDS + 30 }), ada],
  ['who names a tenant', bearer(good, { 'x-penstock-tenant': 'acme' }), { ...ada, tenant: 'acme' }],
  [
    'who also has a token for Cloud Run',
    bearer(good, { 'x-serverless-authorization': `Bearer ${header}.${forged}.SIGNATURE_REMOVED_BY_GOOGLE` }),
    ada,
  ],
];
const refused: [string, IdentityRequest, RegExp][] = [
  [
    'nobody',
    { headers: new Headers(), remoteAddress: '127.0.0.1' },
    /send an ID token of http.* for https:\/\/api/,
  ],
  [
    'a password',
    { headers: new Headers({ authorization: 'Basic YTpi' }), remoteAddress: undefined },
    /Bearer/,
  ],
  ['two tokens', bearer(`${good}, Bearer ${good}`), /Bearer/],
  ['an empty token', bearer(''), /Bearer/],
  ['what is no token', bearer('abc'), /is not one/],
  ['a token without a signature (alg: none)', bearer(unsigned), /signed with RS256 or ES256/],
  ['the public key taken for a secret (HS256)', bearer(withPublicKey), /signed with RS256 or ES256/],
  ['a changed payload', bearer(`${header}.${forged}.${signature}`), /signature is wrong/],
  ['a cut signature', bearer(`${header}.${payload}.${signature.slice(4)}`), /signature is wrong/],
  ['no signature', bearer(`${header}.${payload}.`), /signature is wrong/],
  [
    'a token that Cloud Run has checked for somebody else',
    bearer(`${header}.${payload}.SIGNATURE_REMOVED_BY_GOOGLE`),
    /signature is wrong/,
  ],
  ['another key under a known name', bearer(await foreign.sign(claimsOf())), /signature is wrong/],
  ['an unknown key', bearer(await unknown.sign(claimsOf())), /a key that http.* does not have/],
  [
    'a key that the token brings along',
    bearer(await unknown.sign(claimsOf(), { jwk: foreignJwk })),
    /does not have/,
  ],
  [
    'a place where the token says that its key is',
    bearer(await foreign.sign(claimsOf(), { jku: 'https://evil.example/keys' })),
    /signature is wrong/,
  ],
  [
    'a key of one kind under an algorithm of another',
    bearer(await rsa.sign(claimsOf(), { kid: known.kid })),
    /does not have/,
  ],
  [
    'what has to be understood and is not (crit)',
    await sign({}, { crit: ['urn:unknown'], 'urn:unknown': 1 }),
    /is not one/,
  ],
  ['another issuer', await sign({ iss: 'https://issuer.example' }), /of another issuer; get one of http/],
  ['no issuer', await without('iss'), /of another issuer/],
  ['another audience', await sign({ aud: 'https://other.example.com' }), /another audience; get one for/],
  ['an audience that only begins like ours', await sign({ aud: `${AUDIENCE}.evil.example` }), /audience/],
  ['no audience', await without('aud'), /audience/],
  ['an expired token', await sign({ exp: SECONDS - 31 }), /has expired/],
  ['a token for ever', await without('exp'), /claim exp/],
  ['a token of no time', await without('iat'), /claim iat/],
  ['a token of the future', await sign({ iat: SECONDS + 32 }), /in the future/],
  ['a token that is not valid yet', await sign({ nbf: SECONDS + 32 }), /claim nbf/],
  ['no address', await without('email'), /no e-mail address/],
  ['what is no address', await sign({ email: 'ada' }), /no e-mail address/],
  [
    'an address of letters that only look like ours',
    await sign({ email: '\u212Aate@example.com' }),
    /no e-mail/,
  ],
  ['a list of addresses', await sign({ email: ['ada@example.com'] }), /no e-mail address/],
  ['an address that nobody has verified', await sign({ email_verified: false }), /not verified/],
  ['an address that is verified in words', await sign({ email_verified: 'false' }), /not verified/],
  ['an address of which nobody says that it is verified', await without('email_verified'), /not verified/],
];

identityContract('OpenID Connect, by discovery', () => ({
  identity: open({ audiences: [AUDIENCE, 'penstock'] }),
  welcome,
  refused,
}));

identityContract('OpenID Connect, with keys from a configured place', () => ({
  identity: open({ keysUrl: shared.keysUrl }),
  welcome: welcome.slice(0, 3),
  refused: refused.slice(0, 14),
}));

describe('Google as the issuer', () => {
  const google = () => open({ issuer: 'https://accounts.google.com', keysUrl: shared.keysUrl });
  const byGoogle = (changes: JWTPayload) => sign({ iss: 'https://accounts.google.com', ...changes });

  it('names itself with and without https', async () => {
    for (const iss of ['https://accounts.google.com', 'accounts.google.com'])
      expect((await google().authenticate(await sign({ iss }))).actor).toBe('ada@example.com');
    await expect(google().authenticate(await sign({ iss: 'http://accounts.google.com' }))).rejects.toThrow(
      /issuer/,
    );
  });

  it('says which organisation manages an address; the address alone does not', async () => {
    expect((await google().authenticate(await byGoogle({ hd: 'Example.com' }))).actor).toBe(
      'ada@example.com of example.com',
    );
    expect((await google().authenticate(await byGoogle({ hd: 'evil example' }))).actor).toBe(
      'ada@example.com',
    );
  });
});

describe('the keys of an issuer', () => {
  let issuer: Issuer;
  beforeEach(async () => {
    issuer = await startIssuer(known);
  });
  afterEach(() => issuer.stop());
  const identityOf = (config: Partial<OidcIdentityConfig> = {}) =>
    open({ issuer: issuer.url, keysCooldownMs: 0, ...config });
  const by = async (key: typeof known) => bearer(await key.sign(claimsOf({}, issuer.url)));
  const DISCOVERY = '/.well-known/openid-configuration';

  it('are fetched once for all who call', async () => {
    const identity = identityOf();
    const request = await by(known);
    await Promise.all([identity.authenticate(request), identity.authenticate(request)]);
    await identity.authenticate(request);
    expect(issuer.asked).toEqual([DISCOVERY, '/keys']);
  });

  it('are fetched again for a new key, and what was taken back is refused from then on', async () => {
    const identity = identityOf();
    const [old, next] = await Promise.all([by(known), by(unknown)]);
    await identity.authenticate(old);
    issuer.publish(unknown);
    expect(await identity.authenticate(next)).toEqual({ ...ada });
    await expect(identity.authenticate(old)).rejects.toMatchObject({ code: 'unauthenticated' });
  });

  it('are not fetched for each token of an unknown key', async () => {
    const identity = identityOf({ keysCooldownMs: 30_000 });
    const stranger = await by(unknown);
    for (let n = 0; n < 5; n += 1) {
      await expect(identity.authenticate(stranger)).rejects.toMatchObject({ code: 'unauthenticated' });
    }
    expect(issuer.asked).toEqual([DISCOVERY, '/keys']);
  });

  it.each([503, 404, 302, 'reset', 'garbage'] as const)(
    'that cannot be had (%s) are no fault of the token: it is to be sent again, and then it is good',
    async (failure) => {
      for (const config of [{}, { keysUrl: issuer.keysUrl }]) {
        const identity = identityOf(config);
        const request = await by(known);
        issuer.fail(failure);
        await expect(identity.authenticate(request)).rejects.toMatchObject({
          code: 'unavailable',
          retry: 'later',
        });
        issuer.fail(undefined);
        expect(await identity.authenticate(request)).toEqual(ada);
      }
    },
  );

  it('that are known go on to count while their server is away, also after a token of an unknown key', async () => {
    const identity = identityOf();
    const [old, next] = await Promise.all([by(known), by(unknown)]);
    await identity.authenticate(old);
    issuer.fail(503);
    await expect(identity.authenticate(next)).rejects.toMatchObject({ code: 'unavailable' });
    expect(await identity.authenticate(old)).toEqual(ada);
  });

  it('are not waited for longer than is allowed, wherever they are', async () => {
    issuer.fail('silence');
    const began = performance.now();
    for (const config of [{}, { keysUrl: issuer.keysUrl }]) {
      const answer = identityOf({ timeoutMs: 50, ...config }).authenticate(await by(known));
      await expect(answer).rejects.toMatchObject({ code: 'unavailable', retry: 'later' });
    }
    expect(performance.now() - began).toBeLessThan(SOON_MS);
  });

  it('are not taken from an issuer that is another one than it was taken for', async () => {
    issuer.describe({ issuer: 'https://issuer.example' });
    const answer = identityOf().authenticate(await by(known));
    await expect(answer).rejects.toMatchObject({ code: 'config' });
    await expect(answer).rejects.toThrow(
      /PENSTOCK_OIDC_ISSUER is http.* calls itself https:\/\/issuer.example/,
    );
  });

  it('are not fetched from where anybody on the way could change them', async () => {
    issuer.describe({ jwks_uri: 'http://keys.example/keys' });
    await expect(identityOf().authenticate(await by(known))).rejects.toThrow(/has to be https/);
  });
});

it('repeats nothing of a token that it refuses', async () => {
  for (const [, request] of refused) {
    const error: unknown = await open()
      .authenticate(request)
      .catch((thrown: unknown) => thrown);
    expect(JSON.stringify([String(error), error])).not.toMatch(/eyJ|ada@|eve@/);
  }
});
