import { Compute } from 'google-auth-library';
import { callGoogle } from './google-call.ts';

const TIMEOUT_MS = 10_000;
/** Google's tokens hold for an hour; one is asked for again this long before its end. */
const RENEW_BEFORE_MS = 5 * 60_000;
const HOUR_MS = 60 * 60_000;

export interface IdTokensConfig {
  /** Whom the token is for: the URL of a Cloud Run service. */
  audience: string;
  clock: { now(): number };
}

/** ID tokens of the service account that this process runs as, from the metadata server of Google Cloud. */
export function createIdTokens({ audience, clock }: IdTokensConfig): () => Promise<string> {
  const compute = new Compute();
  let token: Promise<string> | undefined;
  let until = 0;
  const ask = (): Promise<string> =>
    callGoogle({ what: `ID token for ${audience}`, role: 'a service account', timeoutMs: TIMEOUT_MS }, () =>
      compute.fetchIdToken(audience),
    );
  return () => {
    if (token !== undefined && clock.now() < until) return token;
    until = clock.now() + HOUR_MS - RENEW_BEFORE_MS;
    const asked = ask();
    token = asked;
    asked.catch(() => {
      if (token === asked) token = undefined;
    });
    return asked;
  };
}
