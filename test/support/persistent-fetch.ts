import { setTimeout as sleep } from 'node:timers/promises';

const ATTEMPTS = 6;
const PAUSE_MS = 500;

/**
 * A request that may be made twice, to a server that has just begun: on a busy machine it drops connections. Throws the
 * last failure with the method and address in its message.
 */
export async function persistentFetch(url: string, init: RequestInit = {}): Promise<Response> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await fetch(url, init);
    } catch (error) {
      if (attempt === ATTEMPTS)
        throw new Error(`${init.method ?? 'GET'} ${url}: no answer in ${attempt} attempts`, { cause: error });
      await sleep(PAUSE_MS);
    }
  }
}
