import { type GoogleServer, GoogleApiError, type Operation, startGoogleServer } from './google-server.ts';

export interface SecretsStandIn extends GoogleServer {
  /** Adds a version: the newest one from now on. Answers its name, `projects/P/secrets/S/versions/1`. */
  add(secret: string, payload: string | Buffer): string;
  setState(version: string, state: VersionState): void;
}

type VersionState = 'ENABLED' | 'DISABLED' | 'DESTROYED';

interface Version {
  name: string;
  payload: Buffer;
  state: VersionState;
}

/** Secret Manager's API v1, as far as versions are read with it (https://cloud.google.com/secret-manager/docs/reference/rest). */
export async function startSecretsStandIn({ port }: { port?: number } = {}): Promise<SecretsStandIn> {
  const versions = new Map<string, Version[]>();
  const access: Operation = {
    name: 'versions.access',
    method: 'GET',
    path: /^\/v1\/(?<secret>projects\/[^/]+\/secrets\/[^/]+)\/versions\/(?<version>[^/:]+):access$/,
    permissions: ['secretmanager.versions.access'],
    answer: ({ parameters: { secret = '', version = '' } }) => {
      const { name, payload } = readable(versions.get(secret), secret, version);
      return { name, payload: { data: payload.toString('base64') } };
    },
  };
  const server = await startGoogleServer([access], port === undefined ? {} : { port });
  return {
    ...server,
    add: (secret, payload) => {
      const known = versions.get(secret) ?? [];
      const name = `${secret}/versions/${known.length + 1}`;
      versions.set(secret, [...known, { name, payload: Buffer.from(payload), state: 'ENABLED' }]);
      return name;
    },
    setState: (name, state) => {
      for (const version of [...versions.values()].flat()) if (version.name === name) version.state = state;
    },
  };
}

function readable(known: Version[] = [], secret: string, version: string): Version {
  const found = version === 'latest' ? known.at(-1) : known[Number(version) - 1];
  if (found === undefined) {
    throw new GoogleApiError(404, `Secret [${secret}] not found or has no versions.`);
  }
  if (found.state === 'ENABLED') return found;
  const text = `Secret Version [${found.name}] is in ${found.state} state.`;
  throw new GoogleApiError(400, text, 'FAILED_PRECONDITION');
}
