import type { Trace } from '../../shared/ports/trace.ts';

export interface PlatformFetchOptions {
  trace: Pick<Trace, 'current'>;
  /** Where the attempts API is. */
  platformUrl: string;
  /** Where only who has an identity of Google's is let in: proves ours. */
  idToken?: (() => Promise<string>) | undefined;
}

/** What is asked of the platform says which trace it belongs to and who runs the job; nobody else is told. */
export function createPlatformFetch(options: PlatformFetchOptions): typeof globalThis.fetch {
  const { origin } = new URL(options.platformUrl);
  return async (input, init) => {
    const url = input instanceof Request ? input.url : String(input);
    if (new URL(url).origin !== origin) return fetch(input, init);
    const headers = new Headers(init?.headers ?? (input instanceof Request ? input.headers : undefined));
    const traceparent = options.trace.current();
    if (traceparent !== undefined) headers.set('traceparent', traceparent);
    // Not `Authorization`: that is the attempt's own token, and Cloud Run looks here first.
    if (options.idToken !== undefined)
      headers.set('x-serverless-authorization', `Bearer ${await options.idToken()}`);
    return fetch(input, { ...init, headers });
  };
}
