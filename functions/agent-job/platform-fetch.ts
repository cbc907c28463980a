import type { Trace } from '../../shared/ports/trace.ts';

export interface PlatformFetchOptions {
  trace: Pick<Trace, 'current'>;
  /** Where the attempts API is. */
  platformUrl: string;
  /** Where only who has an identity of Google's is let in: proves ours, and not with one that was refused. */
  idToken?: ((refused?: string) => Promise<string>) | undefined;
}

/** What is asked of the platform says which trace it belongs to and who runs the job; nobody else is told. */
export function createPlatformFetch(options: PlatformFetchOptions): typeof globalThis.fetch {
  const { origin } = new URL(options.platformUrl);
  let refused: string | undefined;
  return async (input, init) => {
    const url = input instanceof Request ? input.url : String(input);
    if (new URL(url).origin !== origin) return fetch(input, init);
    const headers = new Headers(init?.headers ?? (input instanceof Request ? input.headers : undefined));
    const traceparent = options.trace.current();
    if (traceparent !== undefined) headers.set('traceparent', traceparent);
    // Not `Authorization`: that is the attempt's own token, and Cloud Run looks here first.
    const token = await options.idToken?.(refused);
    if (token !== undefined) headers.set('x-serverless-authorization', `Bearer ${token}`);
    const response = await fetch(input, { ...init, headers });
    if (isOfCloudRun(response)) refused = token;
    return response;
  };
}

/** A 401 that is no problem of ours: the request did not come to the platform. */
function isOfCloudRun({ status, headers }: Response): boolean {
  return status === 401 && headers.get('content-type')?.startsWith('application/problem+json') !== true;
}
