import { createFirestoreClient } from '../adapters/google/firestore-client.ts';
import { createFirestoreStore } from '../adapters/google/firestore-store.ts';
import type { Log } from '../ports/log.ts';
import type { Store } from '../ports/store.ts';
import type { GoogleConfig } from './google-config.ts';
import { logRepeat } from './log-repeat.ts';

/** The project's Firestore. Loaded when a function first needs it: this library takes longer to read than all of ours. */
export function openStore(config: GoogleConfig, log: Log): Store {
  const { GOOGLE_CLOUD_PROJECT: projectId, FIRESTORE_EMULATOR_HOST: emulatorHost } = config;
  const client = createFirestoreClient({ projectId, emulatorHost });
  const onRepeat = logRepeat(log);
  if (emulatorHost === undefined) return createFirestoreStore({ client, onRepeat });
  const ifUnreachable = 'start the emulator that FIRESTORE_EMULATOR_HOST names, or unset it';
  return createFirestoreStore({ client, onRepeat, ifUnreachable });
}
