import { type JWTPayload, type JWTVerifyGetKey, jwtVerify } from 'jose';
import type { Clock } from '../../ports/clock.ts';
import { PenstockError } from '../../ports/penstock-error.ts';
import { refusal } from './person-of-claims.ts';

export interface TokenRules {
  keys: JWTVerifyGetKey;
  issuers: string[];
  audiences: string[];
  /** Of public keys only: with a secret one the public key could be taken for it. */
  algorithms: ('RS256' | 'ES256')[];
  clock: Pick<Clock, 'now'>;
}

/** What the clocks of two machines may differ by, seconds. */
export const CLOCK_SKEW_SECONDS = 30;

/** The claims of a token whose signature, issuer, audience and times hold. Throws `unauthenticated` with what is wrong. */
export async function verifyToken(token: string, rules: TokenRules): Promise<JWTPayload> {
  const { keys, issuers, audiences, algorithms, clock } = rules;
  try {
    const { payload } = await jwtVerify(token, keys, {
      issuer: issuers,
      audience: audiences,
      algorithms,
      requiredClaims: ['exp', 'iat'],
      clockTolerance: CLOCK_SKEW_SECONDS,
      currentDate: new Date(clock.now()),
    });
    requireIssuedBefore(payload, clock.now());
    return payload;
  } catch (error) {
    throw error instanceof PenstockError ? error : refusal(wrongToken(error, rules));
  }
}

/** A token of the future is none. */
export function requireIssuedBefore({ iat }: JWTPayload, nowMs: number): void {
  if (typeof iat === 'number' && iat <= nowMs / 1_000 + CLOCK_SKEW_SECONDS) return;
  throw refusal(
    'the token says that it was issued in the future (iat); set the clock right and get a new one',
  );
}

/** Says what is wrong with a token without repeating any of it. */
function wrongToken(error: unknown, { issuers, audiences, algorithms }: TokenRules): string {
  const { code, claim } = error as { code?: string; claim?: string };
  if (code === 'ERR_JWT_EXPIRED') return 'the token has expired; get a new one';
  if (claim === 'iss') return `the token is of another issuer; get one of ${issuers[0]}`;
  if (claim === 'aud') return `the token is for another audience; get one for ${audiences.join(' or ')}`;
  if (claim !== undefined) return `the claim ${claim} of the token is missing or wrong; get a new one`;
  if (code === 'ERR_JOSE_ALG_NOT_ALLOWED')
    return `the token has to be signed with ${algorithms.join(' or ')}`;
  if (code?.startsWith('ERR_JWKS_') === true) {
    return `the token is signed with a key that ${issuers[0]} does not have; get a new one`;
  }
  return 'the token is not one, or its signature is wrong; get a new one';
}
