import { decodeJwt, decodeProtectedHeader, type JWTPayload } from 'jose';
import type { Clock } from '../../ports/clock.ts';
import { type CallerOf, type Identity, TENANT_HEADER } from '../../ports/identity.ts';
import { bearerToken } from './bearer-token.ts';
import { GOOGLE_ISSUERS, personOfClaims, refusal, requireVerified } from './person-of-claims.ts';
import { CLOCK_SKEW_SECONDS, requireIssuedBefore } from './verify-token.ts';

export interface IamIdentityConfig {
  callerOf: CallerOf;
  clock: Pick<Clock, 'now'>;
  /** Of the token, where it has to be narrower than what Cloud Run takes. */
  audiences?: string[];
}

/** Cloud Run checks this header instead of `Authorization` where there is one, and hands both on. */
const CHECKED_FIRST = 'x-serverless-authorization';
const REMOVED = 'SIGNATURE_REMOVED_BY_GOOGLE';
const HINT =
  'send a Google ID token as Authorization: Bearer … (gcloud auth print-identity-token); Cloud Run has to check it';

/**
 * Identity mode `iam`. Only for a service without a public invoker: there Cloud Run has checked the token that it hands on without
 * its signature, and nothing here could tell a forged one. What has not that shape did not come through Cloud Run.
 */
export function createIamIdentity({ callerOf, clock, audiences }: IamIdentityConfig): Identity {
  return {
    mode: 'iam',
    authenticate: async ({ headers }) => {
      const token = bearerToken(headers.get(CHECKED_FIRST) ?? headers.get('authorization'), HINT);
      const claims = checkedByCloudRun(token);
      requireCurrent(claims, clock.now());
      if (!GOOGLE_ISSUERS.includes(claims.iss ?? ''))
        throw refusal(`the token is not one of Google; ${HINT}`);
      if (audiences !== undefined && !audiences.some((audience) => claims.aud === audience)) {
        throw refusal(`the token is for another audience; get one for ${audiences.join(' or ')}`);
      }
      requireVerified(claims);
      const person = personOfClaims(claims, { byGoogle: true });
      return callerOf(person, headers.get(TENANT_HEADER) ?? undefined);
    },
  };
}

function checkedByCloudRun(token: string): JWTPayload {
  if (!token.endsWith(`.${REMOVED}`)) {
    throw refusal(
      'the token still has its signature, so Cloud Run has not checked it; identity mode iam works behind Cloud Run without a public invoker only, elsewhere set PENSTOCK_IDENTITY=oidc',
    );
  }
  try {
    const { alg, kid } = decodeProtectedHeader(token);
    if (alg === 'RS256' && kid !== undefined) return decodeJwt(token);
  } catch {
    // Neither does Cloud Run let through what cannot be read.
  }
  throw refusal(`the token is not one that Cloud Run lets through; ${HINT}`);
}

function requireCurrent(claims: JWTPayload, nowMs: number): void {
  const isCurrent = typeof claims.exp === 'number' && claims.exp > nowMs / 1_000 - CLOCK_SKEW_SECONDS;
  if (!isCurrent) throw refusal('the token has expired; get a new one');
  requireIssuedBefore(claims, nowMs);
}
