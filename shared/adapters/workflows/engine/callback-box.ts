import type { Value } from '../values.ts';
import type { Endpoint } from './journal.ts';

/** A request to an endpoint that no wait has taken yet. */
export interface CallbackRequest {
  readonly id: string;
  readonly value: Value;
}

/** What became of a request: taken or kept, unknown endpoint, wrong method, or one before it waits still. */
export type Receipt = 'accepted' | 'not_found' | 'wrong_method' | 'busy';

/** The callback endpoints of one execution and what came in for them. */
export interface CallbackBox {
  open(endpoint: Endpoint): void;
  endpoints(): readonly Endpoint[];
  byUrl(url: string): Endpoint | undefined;
  /** Whether a request would be accepted. */
  check(endpoint: string, method: string): Receipt;
  /** Puts a request into the inbox, or hands it to the wait that is there. */
  put(endpoint: string, request: CallbackRequest): void;
  /** What is in the inbox, and out of it with that. */
  take(endpoint: string): CallbackRequest | undefined;
  /** Calls `work` with the next request. */
  wait(endpoint: string, work: (request: CallbackRequest) => void): () => void;
}

export function createCallbackBox(): CallbackBox {
  const endpoints = new Map<string, Endpoint>();
  const inbox = new Map<string, CallbackRequest>();
  const waits = new Map<string, (request: CallbackRequest) => void>();
  return {
    open: (endpoint) => void endpoints.set(endpoint.id, endpoint),
    endpoints: () => [...endpoints.values()],
    byUrl: (url) => [...endpoints.values()].find((endpoint) => endpoint.url === url),
    check(id, method) {
      const endpoint = endpoints.get(id);
      if (endpoint === undefined) return 'not_found';
      if (endpoint.method !== method) return 'wrong_method';
      return inbox.has(id) ? 'busy' : 'accepted';
    },
    put(id, request) {
      const wait = waits.get(id);
      waits.delete(id);
      if (wait === undefined) inbox.set(id, request);
      else wait(request);
    },
    take(id) {
      const request = inbox.get(id);
      inbox.delete(id);
      return request;
    },
    wait(id, work) {
      waits.set(id, work);
      return () => {
        if (waits.get(id) === work) waits.delete(id);
      };
    },
  };
}
