import { Compute } from 'google-auth-library';
import { decodeJwt } from 'jose';
import { callGoogle } from './google-call.ts';

const TIMEOUT_MS = 10_000;
/** One is asked for again this long before its end. */
const RENEW_BEFORE_MS = 5 * 60_000;
/** Google's tokens hold for so long where they do not say it. */
const HOUR_MS = 60 * 60_000;

export interface IdTokensConfig {
  /** Whom the token is for: the URL of a Cloud Run service. */
  audience: string;
  clock: { now(): number };
}

/**
 * ID tokens of the service account that this process runs as, from the metadata server of Google Cloud. The server keeps them too:
 * how long one still holds is read from it. Whoever was refused with one names it, and it is not kept.
 */
export function createIdTokens({ audience, clock }: IdTokensConfig): (refused?: string) => Promise<string> {
  const compute = new Compute();
  let kept: Promise<Kept> | undefined;
  const ask = async (): Promise<Kept> => {
    const askedAt = clock.now();
    const call = { what: `ID token for ${audience}`, role: 'a service account', timeoutMs: TIMEOUT_MS };
    const token = await callGoogle(call, () => compute.fetchIdToken(audience));
    return { token, until: (endOf(token) ?? askedAt + HOUR_MS) - RENEW_BEFORE_MS };
  };
  const keep = (asked: Promise<Kept>): Promise<Kept> => {
    kept = asked;
    asked.catch(() => {
      if (kept === asked) kept = undefined;
    });
    return asked;
  };
  return async (refused) => {
    const before = kept;
    const found = await before;
    if (found !== undefined && clock.now() < found.until && found.token !== refused) return found.token;
    // Of those who wait here, only the first asks.
    const asked = kept === before || kept === undefined ? keep(ask()) : kept;
    return (await asked).token;
  };
}

interface Kept {
  token: string;
  until: number;
}

/** Milliseconds; of our own token, so that nobody has to check it. */
function endOf(token: string): number | undefined {
  try {
    const { exp } = decodeJwt(token);
    return typeof exp === 'number' ? exp * 1_000 : undefined;
  } catch {
    return undefined;
  }
}
