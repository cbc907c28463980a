import { type ErrorCode, PenstockError } from '../../ports/penstock-error.ts';
import type { Ports } from '../ports.ts';
import { modelCircuit, providerCircuit } from './circuit.ts';

/** Tells the circuits how one model call went. */
export interface CallWatch {
  /** Does a part of it and tells what it throws; what we broke off ourselves says nothing. */
  during<T>(work: () => Promise<T>, signal?: AbortSignal): Promise<T>;
  answered(): Promise<void>;
  failed(code: ErrorCode, reason: string, retryAfterMs?: number): Promise<void>;
}

/**
 * What the provider did, or refuses to everybody alike: its limits, its outages, our key and our account with it. What is wrong
 * with one request is not among them.
 */
const PROVIDER_FAULTS: readonly ErrorCode[] = [
  'rate_limited',
  'unavailable',
  'timeout',
  'unauthenticated',
  'forbidden',
];

/** Begins with the call: an outcome counts for the state that its circuit is in now, and for no later one. */
export function watchCall(
  { circuits, clock, model: { provider } }: Pick<Ports, 'circuits' | 'clock' | 'model'>,
  model: string,
): CallWatch {
  const since = clock.now();
  const watch: CallWatch = {
    async during(work, signal) {
      try {
        return await work();
      } catch (error) {
        if (error instanceof PenstockError && signal?.aborted !== true)
          await watch.failed(error.code, error.message, error.afterMs);
        throw error;
      }
    },
    async answered() {
      await circuits.succeeded(providerCircuit(provider), since);
      await circuits.succeeded(modelCircuit(model), since);
    },
    async failed(code, reason, retryAfterMs) {
      const fault = { reason: `${code}: ${reason}`.slice(0, 300), since, retryAfterMs };
      if (PROVIDER_FAULTS.includes(code)) await circuits.failed(providerCircuit(provider), fault);
      // A model that is gone is gone at the first call.
      if (code === 'not_found') await circuits.failed(modelCircuit(model), { ...fault, isCertain: true });
    },
  };
  return watch;
}
