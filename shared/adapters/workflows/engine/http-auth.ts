import { authError, valueError } from '../errors.ts';
import { plainText } from '../plain-text.ts';
import type { Value, ValueMap } from '../values.ts';
import type { Services } from './services.ts';

export const CLOUD_PLATFORM = 'https://www.googleapis.com/auth/cloud-platform';

/**
 * The header that says who asks. An identity token is for the audience, by default the URL without its query.
 * @throws AuthError where no token can be had
 */
export async function authorization(
  auth: ValueMap,
  url: string,
  { auth: hooks }: Pick<Services, 'auth'>,
): Promise<string> {
  const type = auth.get('type');
  if (type !== 'OIDC' && type !== 'OAuth2') throw valueError('auth takes as type OIDC or OAuth2');
  if (hooks === undefined) throw authError(`this runner has no identity to make an ${type} token for`);
  const { origin, pathname } = new URL(url);
  const audience = auth.get('audience') ?? origin + pathname;
  const scopes = textsOf(auth.get('scopes') ?? auth.get('scope') ?? CLOUD_PLATFORM);
  try {
    return `Bearer ${type === 'OIDC' ? await hooks.oidc(plainText(audience)) : await hooks.oauth2(scopes)}`;
  } catch (error) {
    throw authError(`no ${type} token: ${error instanceof Error ? error.message : String(error)}`);
  }
}

function textsOf(value: Value): string[] {
  const items = Array.isArray(value) ? value : [value];
  return items.flatMap((item) => (typeof item === 'string' ? item.split(/[\s,]+/) : []));
}
