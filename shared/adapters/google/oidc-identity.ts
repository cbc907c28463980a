import type { Clock } from '../../ports/clock.ts';
import { type CallerOf, type Identity, TENANT_HEADER } from '../../ports/identity.ts';
import { bearerToken } from './bearer-token.ts';
import { discoverKeysUrl } from './discover-keys-url.ts';
import { GOOGLE_ISSUER, GOOGLE_ISSUERS, personOfClaims, requireVerified } from './person-of-claims.ts';
import { createSigningKeys } from './signing-keys.ts';
import { verifyToken } from './verify-token.ts';

export interface OidcIdentityConfig {
  callerOf: CallerOf;
  clock: Pick<Clock, 'now'>;
  /** Exactly as its tokens name it. */
  issuer: string;
  /** Who a token may be for: one of them. */
  audiences: string[];
  /** @default what the issuer's discovery document names */
  keysUrl?: URL;
  /** Of one fetch of the keys or of the discovery document. @default 5000 */
  timeoutMs?: number;
  /** @default 30000 */
  keysCooldownMs?: number;
}

const TIMEOUT_MS = 5_000;

/**
 * Identity mode `oidc`: the ID token of one issuer, for us. Google's own (`https://accounts.google.com`) is also what Cloud Scheduler,
 * Workflows and push subscriptions send for their service accounts.
 */
export function createOidcIdentity({
  callerOf,
  clock,
  issuer,
  audiences,
  ...config
}: OidcIdentityConfig): Identity {
  const { keysUrl, timeoutMs = TIMEOUT_MS, keysCooldownMs: cooldownMs } = config;
  const byGoogle = issuer === GOOGLE_ISSUER;
  const rules = {
    keys: createSigningKeys({
      keysUrl: () => (keysUrl === undefined ? discoverKeysUrl(issuer, timeoutMs) : Promise.resolve(keysUrl)),
      timeoutMs,
      ...(cooldownMs === undefined ? {} : { cooldownMs }),
    }),
    issuers: byGoogle ? GOOGLE_ISSUERS : [issuer],
    audiences,
    algorithms: ['RS256' as const, 'ES256' as const],
    clock,
  };
  const hint = `send an ID token of ${issuer} for ${audiences.join(' or ')} as Authorization: Bearer …`;
  return {
    mode: 'oidc',
    authenticate: async ({ headers }) => {
      const claims = await verifyToken(bearerToken(headers.get('authorization'), hint), rules);
      requireVerified(claims);
      return callerOf(personOfClaims(claims, { byGoogle }), headers.get(TENANT_HEADER) ?? undefined);
    },
  };
}
