import { PubSub } from '@google-cloud/pubsub';
import { PassThroughClient } from 'google-auth-library';
import { RECONNECT } from './reconnect.ts';

export interface PubsubClientConfig {
  projectId: string;
  /** `host:port`, as in `PUBSUB_EMULATOR_HOST`. */
  emulatorHost?: string | undefined;
}

/** Connects with the first request. */
export function createPubsubClient({ projectId, emulatorHost }: PubsubClientConfig): PubSub {
  if (emulatorHost === undefined) return new PubSub({ projectId, ...RECONNECT });
  return new PubSub({
    projectId,
    apiEndpoint: emulatorHost,
    emulatorMode: true,
    // Else credentials are looked for that nobody needs.
    authClient: new PassThroughClient(),
    ...RECONNECT,
  });
}
