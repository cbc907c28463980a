import { PenstockError } from '../ports/penstock-error.ts';
import type { GoogleConfig } from './google-config.ts';

const FIRESTORE = 'https://firestore.googleapis.com';

/** Without credentials Google's clients end the process at their first call, with an error that nobody can catch. */
export async function requireCredentials(config: GoogleConfig): Promise<void> {
  if (config.FIRESTORE_EMULATOR_HOST !== undefined && config.PUBSUB_EMULATOR_HOST !== undefined) return;
  const { createGoogleCredentials } = await import('../adapters/google/google-credentials.ts');
  try {
    await createGoogleCredentials(FIRESTORE).getApplicationDefault();
  } catch (cause) {
    throw new PenstockError(
      'unauthenticated',
      'there are no Google credentials here: run "gcloud auth application-default login", or name a key file in GOOGLE_APPLICATION_CREDENTIALS',
      { cause },
    );
  }
}
