import { z } from 'zod';
import type { Clock } from '../../ports/clock.ts';
import { isTransient, PenstockError } from '../../ports/penstock-error.ts';
import type { Secrets } from '../../ports/secrets.ts';
import type { GoogleCall } from './google-call.ts';
import { createGoogleRest, type GoogleRestConfig } from './google-rest.ts';
import { SECRET_NAME } from './secret-name.ts';

export interface SecretManagerSecretsConfig extends GoogleRestConfig {
  clock: Pick<Clock, 'now'>;
  /** Of one read. @default 10000 */
  timeoutMs?: number;
}

const TIMEOUT_MS = 10_000;
const MAX_AGE_MS = 5 * 60_000;
/** A door that anybody may knock at is not to ask each time for what is not there. */
const MAX_ABSENT_MS = 60_000;

/** A text, or why there is none. */
type Known = { text: string; readAt: number } | { absent: PenstockError; readAt: number };

const accessed = z.object({ payload: z.object({ data: z.base64() }) });

/** Secrets of Secret Manager. Who asks while a read is under way waits for that one. */
export function createSecretManagerSecrets(config: SecretManagerSecretsConfig): Secrets {
  const { clock, timeoutMs = TIMEOUT_MS } = config;
  const rest = createGoogleRest(config);
  const known = new Map<string, Known>();
  const reading = new Map<string, Promise<string>>();

  async function access(name: string): Promise<string> {
    const answer = await rest(callOf(name, timeoutMs), { method: 'GET', path: `/v1/${name}:access` });
    const parsed = accessed.safeParse(answer);
    const text = parsed.success ? decode(parsed.data.payload.data) : '';
    if (text !== '') return text;
    throw new PenstockError('config', `secret ${name} is empty or is not text; add a version that is`);
  }

  async function readNow(name: string): Promise<string> {
    const before = known.get(name);
    const readAt = clock.now();
    try {
      const text = await access(name).catch(notToBeHad);
      known.set(name, { text, readAt });
      return text;
    } catch (error) {
      if (error instanceof PenstockError && error.code === 'config')
        known.set(name, { absent: error, readAt });
      if (before === undefined || 'absent' in before || !isTransient(error)) throw error;
      known.set(name, { ...before, readAt });
      return before.text;
    } finally {
      reading.delete(name);
    }
  }

  function remembered(name: string): string | undefined {
    const found = known.get(name);
    if (found === undefined) return undefined;
    const ageMs = clock.now() - found.readAt;
    if ('text' in found) return ageMs < MAX_AGE_MS ? found.text : undefined;
    if (ageMs < MAX_ABSENT_MS) throw found.absent;
    return undefined;
  }

  return {
    read: async (name) => {
      if (!SECRET_NAME.test(name)) throw notAName(name);
      const found = remembered(name);
      if (found !== undefined) return found;
      const running = reading.get(name) ?? readNow(name);
      reading.set(name, running);
      return running;
    },
  };
}

function callOf(name: string, timeoutMs: number): GoogleCall {
  return {
    what: `read of secret ${name}`,
    role: 'roles/secretmanager.secretAccessor',
    timeoutMs,
    ifMissing: 'create the secret and a version of it, or name another one',
  };
}

/** A version that is disabled or destroyed is a request that will never be right. */
function notToBeHad(error: unknown): never {
  if (!(error instanceof PenstockError) || error.code !== 'invalid') throw error;
  throw new PenstockError('config', `${error.message}: enable the version, or name another one`, {
    cause: error,
  });
}

/** Without the end of line that `echo` puts behind what it is given. */
function decode(base64: string): string {
  try {
    const bytes = Buffer.from(base64, 'base64');
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes).replace(/\r?\n$/, '');
  } catch {
    return '';
  }
}

function notAName(name: string): PenstockError {
  const given = JSON.stringify(name.slice(0, 80));
  return new PenstockError('config', `${given} is not projects/PROJECT/secrets/NAME/versions/latest`);
}
