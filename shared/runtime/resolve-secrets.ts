import { refusalOf } from '../adapters/google/google-call.ts';
import { SECRET_NAME } from '../adapters/google/secret-name.ts';
import { isTransient, PenstockError } from '../ports/penstock-error.ts';
import type { Secrets } from '../ports/secrets.ts';
import type { CommonConfig } from './config.ts';

/** The variables whose value may be the name of a secret instead of the secret. */
export const SECRET_VARIABLES = [
  'ANTHROPIC_API_KEY',
  'GITHUB_PRIVATE_KEY',
  'GITHUB_WEBHOOK_SECRET',
  'GITHUB_WEBHOOK_SECRET_PREVIOUS',
  'PENSTOCK_TOKEN',
] as const;

/** Ends while processes run: a version that is disabled or destroyed, or not there yet, is none. */
const ENDING: (typeof SECRET_VARIABLES)[number] = 'GITHUB_WEBHOOK_SECRET_PREVIOUS';

type SecretVariables = Partial<Pick<CommonConfig, (typeof SECRET_VARIABLES)[number]>>;

/**
 * The same configuration with each name of a secret replaced by its text as it is now: whoever asks again has a rotated one as soon as
 * the port has. Throws with the variable, the secret and what to do.
 */
export async function resolveSecrets<T extends SecretVariables>(config: T, secrets: Secrets): Promise<T> {
  const resolved = SECRET_VARIABLES.map(async (variable): Promise<SecretVariables> => {
    const value = config[variable];
    if (value === undefined || !value.startsWith('projects/')) return {};
    return { [variable]: await resolve(variable, value, secrets) };
  });
  return Object.assign({}, config, ...(await Promise.all(resolved))) as T;
}

async function resolve(
  variable: (typeof SECRET_VARIABLES)[number],
  name: string,
  secrets: Secrets,
): Promise<string | undefined> {
  if (!SECRET_NAME.test(name)) {
    throw new PenstockError(
      'config',
      `${variable} begins like the name of a secret, which is projects/PROJECT/secrets/NAME/versions/latest`,
    );
  }
  try {
    return await secrets.read(name);
  } catch (error) {
    if (!(error instanceof PenstockError)) throw error;
    const isAbsent = error.code === 'config' && refusalOf(error) === undefined;
    if (variable === ENDING && isAbsent) return undefined;
    // Not `forbidden`: it is the platform that may not, not who calls it.
    const code = isTransient(error) ? error.code : 'config';
    throw new PenstockError(code, `${variable}: ${error.message}`, { retry: error.retry, cause: error });
  }
}
