import { GoogleAuth, UserRefreshClient } from 'google-auth-library';
import type { RunnerAuth } from '../workflows/engine/services.ts';

/**
 * Tokens of whoever has logged in on this machine (application default credentials), for a workflow that is run here. Fails where
 * nobody has. Google writes a user's own client into an identity token, whatever audience is asked for; a service account's says it.
 */
export function createRunnerAuth(): RunnerAuth {
  const auth = new GoogleAuth();
  return {
    oidc: async (audience) => {
      const client = await auth.getClient();
      if (client instanceof UserRefreshClient) return client.fetchIdToken(audience);
      return (await auth.getIdTokenClient(audience)).idTokenProvider.fetchIdToken(audience);
    },
    oauth2: async (scopes) => {
      const client = await new GoogleAuth({ scopes: [...scopes] }).getClient();
      const { token } = await client.getAccessToken();
      if (token == null) throw new Error('Google gave no access token for these credentials');
      return token;
    },
  };
}
