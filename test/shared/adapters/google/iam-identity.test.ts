import { describe, expect, it } from '@jest/globals';
import { createIamIdentity } from '../../../../shared/adapters/google/iam-identity.ts';
import type { Caller, CallerOf } from '../../../../shared/ports/identity.ts';
import { identityContract, type IdentityRequest } from '../../../contract/identity-contract.ts';

const NOW = Date.parse('2026-11-21T12:00:00Z');
const SECONDS = NOW / 1_000;
const clock = { now: () => NOW };

const callerOf: CallerOf = ({ email, domain }, tenant = 'local') =>
  Promise.resolve({
    tenant,
    actor: domain === undefined ? email : `${email} of ${domain}`,
    roles: ['developer'],
  });

const HEADER = { alg: 'RS256', kid: 'google', typ: 'JWT' };
const CLAIMS = {
  iss: 'https://accounts.google.com',
  aud: 'https://api-abc.run.app',
  sub: '1',
  iat: SECONDS,
  exp: SECONDS + 3_600,
  email: 'ada@example.com',
  email_verified: true,
  hd: 'example.com',
};
const REMOVED = 'SIGNATURE_REMOVED_BY_GOOGLE';

const encode = (part: unknown): string => Buffer.from(JSON.stringify(part)).toString('base64url');
/** What Cloud Run hands on, or what somebody made to look like it. */
const token = (changes: object = {}, header: object = HEADER, signature = REMOVED): string =>
  [encode(header), encode({ ...CLAIMS, ...changes }), signature].join('.');
const from = (headers: Record<string, string>): IdentityRequest => ({
  headers: new Headers(headers),
  remoteAddress: '169.254.1.1',
});
const bearer = (text: string, headers = {}) => from({ authorization: `Bearer ${text}`, ...headers });
const ada: Caller = { tenant: 'local', actor: 'ada@example.com of example.com', roles: ['developer'] };
const scheduler = 'scheduler@p.iam.gserviceaccount.com';

describe('identity by IAM', () => {
  identityContract('behind Cloud Run', () => ({
    identity: createIamIdentity({ callerOf, clock }),
    welcome: [
      ['a person', bearer(token()), ada],
      ['a person who says so in small letters', from({ authorization: `bearer ${token()}` }), ada],
      ['who names a tenant', bearer(token(), { 'x-penstock-tenant': 'acme' }), { ...ada, tenant: 'acme' }],
      ['the other name of the issuer', bearer(token({ iss: 'accounts.google.com' })), ada],
      ['Cloud Scheduler', bearer(token({ email: scheduler, hd: undefined })), { ...ada, actor: scheduler }],
      ['a token that ended a moment ago', bearer(token({ exp: SECONDS - 29 })), ada],
      [
        'the token that Cloud Run has checked, not the one that it has handed on',
        bearer(token({ email: 'eve@example.com' }), { 'x-serverless-authorization': `Bearer ${token()}` }),
        ada,
      ],
      [
        'whose Authorization is for somebody else',
        from({ authorization: 'Basic YTpi', 'x-serverless-authorization': `Bearer ${token()}` }),
        ada,
      ],
    ],
    refused: [
      ['nobody', from({}), /gcloud auth print-identity-token/],
      ['a password', from({ authorization: 'Basic YTpi' }), /gcloud auth print-identity-token/],
      ['an access token', bearer('ya29.a0AfH6SMB'), /still has its signature/],
      ['two tokens', bearer(`${token()}, Bearer ${token()}`), /print-identity-token/],
      [
        'a token with its signature, which nobody has checked',
        bearer(token({}, HEADER, 'c2lnbmF0dXJl')),
        /PENSTOCK_IDENTITY=oidc/,
      ],
      ['a token without any', bearer(token({}, HEADER, '')), /PENSTOCK_IDENTITY=oidc/],
      [
        'a signature that only ends like that',
        bearer(token({}, HEADER, `x${REMOVED}`)),
        /still has its signature/,
      ],
      ['four parts', bearer(`${token()}.${REMOVED}`), /lets through/],
      ['two parts', bearer(`${encode(CLAIMS)}.${REMOVED}`), /lets through/],
      ['what is not JSON', bearer(`e30.abc.${REMOVED}`), /lets through/],
      ['another algorithm', bearer(token({}, { ...HEADER, alg: 'none' })), /lets through/],
      ['a key without a name', bearer(token({}, { alg: 'RS256' })), /lets through/],
      ['another issuer', bearer(token({ iss: 'https://issuer.example' })), /not one of Google/],
      [
        'an issuer that only begins like Google',
        bearer(token({ iss: 'https://accounts.google.com.evil.example' })),
        /not one of Google/,
      ],
      ['an expired token', bearer(token({ exp: SECONDS - 31 })), /has expired/],
      ['a token for ever', bearer(token({ exp: undefined })), /has expired/],
      ['a token of the future', bearer(token({ iat: SECONDS + 31 })), /in the future/],
      ['nobody’s token', bearer(token({ email: undefined })), /no e-mail address/],
      ['an address that nobody has verified', bearer(token({ email_verified: false })), /not verified/],
      [
        'what stands where Cloud Run looks first and is no token, whatever else there is',
        bearer(token(), { 'x-serverless-authorization': '' }),
        /print-identity-token/,
      ],
    ],
  }));

  identityContract('for certain audiences', () => ({
    identity: createIamIdentity({ callerOf, clock, audiences: [CLAIMS.aud, 'penstock'] }),
    welcome: [
      ['a token for one of them', bearer(token()), ada],
      ['a token for another of them', bearer(token({ aud: 'penstock' })), ada],
    ],
    refused: [
      [
        'what gcloud asks for',
        bearer(token({ aud: '32555940559.apps.googleusercontent.com' })),
        /get one for https:\/\/api/,
      ],
      ['a token for nobody', bearer(token({ aud: undefined })), /another audience/],
    ],
  }));

  it('repeats nothing of a token that it refuses', async () => {
    const identity = createIamIdentity({ callerOf, clock });
    for (const text of [token({ email_verified: false }), token({}, HEADER, 'c2ln'), token({ exp: 0 })]) {
      const error: unknown = await identity.authenticate(bearer(text)).catch((thrown: unknown) => thrown);
      expect(String(error)).not.toMatch(/eyJ|ada@/);
    }
  });
});
