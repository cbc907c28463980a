import type { Config } from './config.ts';
import type { ModelAccess } from './local.ts';

/** Stands where a key should; the provider refuses it, and the refusal names the variable. */
const NO_KEY = 'no-key';

/** Live Claude through the key of the environment. */
export function modelAccess(config: Config): ModelAccess {
  return {
    provider: 'anthropic',
    baseUrl: config.ANTHROPIC_BASE_URL,
    apiKey: config.ANTHROPIC_API_KEY ?? NO_KEY,
  };
}
