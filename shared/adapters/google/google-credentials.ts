import { GoogleAuth, OAuth2Client } from 'google-auth-library';

const SCOPES = ['https://www.googleapis.com/auth/cloud-platform'];

/**
 * What authorises calls to an endpoint: over TLS the identity that the process runs as; over plain http, where only a
 * stand-in can be, a token that is worth nothing, so that no real one crosses a network in the clear.
 */
export function createGoogleCredentials(baseUrl: string): GoogleAuth {
  if (!baseUrl.startsWith('http:')) return new GoogleAuth({ scopes: SCOPES });
  const authClient = new OAuth2Client();
  authClient.setCredentials({ access_token: 'for-a-stand-in' });
  return new GoogleAuth({ authClient });
}
