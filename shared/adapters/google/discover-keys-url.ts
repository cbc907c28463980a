import { z } from 'zod';
import { PenstockError } from '../../ports/penstock-error.ts';
import { isTrustedUrl } from './trusted-url.ts';

const document = z.object({ issuer: z.string(), jwks_uri: z.string() });

/** Where an issuer of OpenID Connect keeps its public keys. Throws `config` where it is not the issuer that it was taken for. */
export async function discoverKeysUrl(issuer: string, timeoutMs: number): Promise<URL> {
  const response = await fetch(`${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`, {
    redirect: 'error',
    signal: AbortSignal.timeout(timeoutMs),
  });
  if (!response.ok) throw new Error(`the discovery document answered ${response.status}`);
  const found = document.parse(await response.json());
  if (found.issuer !== issuer) {
    throw new PenstockError(
      'config',
      `PENSTOCK_OIDC_ISSUER is ${issuer}, which calls itself ${found.issuer}; set it to that`,
    );
  }
  const { jwks_uri: keysUrl } = found;
  if (isTrustedUrl(keysUrl)) return new URL(keysUrl);
  throw new PenstockError(
    'config',
    `${issuer} keeps its keys at ${keysUrl}, where anybody on the way could change them; it has to be https`,
  );
}
