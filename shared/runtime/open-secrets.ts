import type { Clock } from '../ports/clock.ts';
import type { Secrets } from '../ports/secrets.ts';
import type { GoogleConfig } from './google-config.ts';
import { lazily } from './lazily.ts';

/** The secrets of the project; their library is read with the first of them, and a process that needs none never reads it. */
export function openSecrets(
  { PENSTOCK_SECRETS_URL: baseUrl }: Pick<GoogleConfig, 'PENSTOCK_SECRETS_URL'>,
  clock: Pick<Clock, 'now'>,
): Secrets {
  const load = async (): Promise<Secrets> => {
    const { createGoogleCredentials } = await import('../adapters/google/google-credentials.ts');
    const { createSecretManagerSecrets } = await import('../adapters/google/secret-manager-secrets.ts');
    return createSecretManagerSecrets({ clock, baseUrl, auth: createGoogleCredentials(baseUrl) });
  };
  return lazily(load, ['read']);
}
