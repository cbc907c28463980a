import type { Clock } from '../../ports/clock.ts';
import { type CallerOf, type Identity, TENANT_HEADER } from '../../ports/identity.ts';
import { personOfClaims, refusal } from './person-of-claims.ts';
import { createSigningKeys } from './signing-keys.ts';
import { verifyToken } from './verify-token.ts';

export interface IapIdentityConfig {
  callerOf: CallerOf;
  clock: Pick<Clock, 'now'>;
  /** `/projects/NUMBER/…`, as the Identity-Aware Proxy shows it for the backend. */
  audience: string;
  /** @default Google's */
  keysUrl?: URL;
  /** Of one fetch of the keys. @default 5000 */
  timeoutMs?: number;
  /** @default 30000 */
  keysCooldownMs?: number;
}

const HEADER = 'x-goog-iap-jwt-assertion';
const ISSUER = 'https://cloud.google.com/iap';
const KEYS_URL = new URL('https://www.gstatic.com/iap/verify/public_key-jwk');
const TIMEOUT_MS = 5_000;

/** Identity mode `iap`: who the Identity-Aware Proxy says it has let through, in an assertion that only it can sign. */
export function createIapIdentity({ callerOf, clock, audience, ...config }: IapIdentityConfig): Identity {
  const { keysUrl = KEYS_URL, timeoutMs = TIMEOUT_MS, keysCooldownMs: cooldownMs } = config;
  const rules = {
    keys: createSigningKeys({
      keysUrl: () => Promise.resolve(keysUrl),
      timeoutMs,
      ...(cooldownMs === undefined ? {} : { cooldownMs }),
    }),
    issuers: [ISSUER],
    audiences: [audience],
    algorithms: ['ES256' as const],
    clock,
  };
  return {
    mode: 'iap',
    authenticate: async ({ headers }) => {
      const assertion = headers.get(HEADER);
      if (assertion === null) {
        throw refusal(
          'the request did not come through the Identity-Aware Proxy; open the address that it protects, or send an ID token for its client there',
        );
      }
      const claims = await verifyToken(assertion, rules);
      return callerOf(personOfClaims(claims, { byGoogle: true }), headers.get(TENANT_HEADER) ?? undefined);
    },
  };
}
