import { once } from 'node:events';
import { connect } from 'node:net';
import { PenstockError } from '../ports/penstock-error.ts';
import type { GoogleConfig } from './google-config.ts';

const TIMEOUT_MS = 2_000;

/** Where an emulator is named, it has to answer: the client libraries would look for it until their deadline, and then not name the variable. */
export async function requireEmulators(config: GoogleConfig): Promise<void> {
  const named = {
    FIRESTORE_EMULATOR_HOST: config.FIRESTORE_EMULATOR_HOST,
    PUBSUB_EMULATOR_HOST: config.PUBSUB_EMULATOR_HOST,
    STORAGE_EMULATOR_HOST: hostOf(config.STORAGE_EMULATOR_HOST),
  };
  await Promise.all(
    Object.entries(named).map(async ([name, host]) => {
      if (host === undefined || (await answers(host))) return;
      throw new PenstockError(
        'config',
        `${name} names ${host}, where nothing answers: start it with npm run emulators, or unset ${name}`,
      );
    }),
  );
}

function hostOf(url: string | undefined): string | undefined {
  return url === undefined ? undefined : new URL(url).host;
}

async function answers(host: string): Promise<boolean> {
  const at = host.lastIndexOf(':');
  const socket = connect({ host: host.slice(0, at), port: Number(host.slice(at + 1)), timeout: TIMEOUT_MS });
  socket.once('timeout', () => socket.destroy(new Error('no answer')));
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}
