import { createRemoteJWKSet, type JWTVerifyGetKey } from 'jose';
import { PenstockError } from '../../ports/penstock-error.ts';

export interface SigningKeysConfig {
  /** Where the keys are; asked for again until it answers. */
  keysUrl: () => Promise<URL>;
  timeoutMs: number;
  /** Keys are fetched again for a token of an unknown key, but not sooner after the last time. @default 30000 */
  cooldownMs?: number;
}

/** A key that its issuer has taken back is still taken for so long. */
const MAX_AGE_MS = 3_600_000;
const COOLDOWN_MS = 30_000;
/** What is wrong with the token, not with the server. */
const WRONG_KEY = new Set(['ERR_JWKS_NO_MATCHING_KEY', 'ERR_JWKS_MULTIPLE_MATCHING_KEYS']);

/** The public keys of an issuer, fetched when they are needed. A server that cannot be reached is `unavailable`: the token may be good. */
export function createSigningKeys({ keysUrl, ...config }: SigningKeysConfig): JWTVerifyGetKey {
  let opening: Promise<JWTVerifyGetKey> | undefined;
  const open = async (): Promise<JWTVerifyGetKey> =>
    createRemoteJWKSet(await keysUrl(), {
      timeoutDuration: config.timeoutMs,
      cooldownDuration: config.cooldownMs ?? COOLDOWN_MS,
      cacheMaxAge: MAX_AGE_MS,
    });
  const opened = (): Promise<JWTVerifyGetKey> => {
    opening ??= open().catch((error: unknown) => {
      opening = undefined;
      throw error;
    });
    return opening;
  };
  return async (header, token) => {
    try {
      return await (
        await opened()
      )(header, token);
    } catch (error) {
      const isWrongKey = WRONG_KEY.has((error as { code?: string }).code ?? '');
      throw isWrongKey || error instanceof PenstockError ? error : unreachable(error);
    }
  };
}

function unreachable(cause: unknown): PenstockError {
  const why = cause instanceof Error ? cause.message : String(cause);
  return new PenstockError(
    'unavailable',
    `the keys that tokens are checked with cannot be fetched: ${why}; send the request again in a moment`,
    { retry: 'later', cause },
  );
}
