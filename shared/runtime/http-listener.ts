import { getRequestListener } from '@hono/node-server';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createPinoLog } from '../adapters/local/pino-log.ts';
import { PenstockError } from '../ports/penstock-error.ts';
import type { HttpFunction, Runtime } from './functions.ts';
import { problemHeaders, problemOfRefusal } from './problem-response.ts';

/** What Node's server calls for each request. */
export type HttpListener = (request: IncomingMessage, response: ServerResponse) => Promise<void>;

export function createHttpListener(fn: HttpFunction, runtime: Runtime): HttpListener {
  return getRequestListener(fn.app(runtime).fetch);
}

/** Says to the caller and in the log why there is no function yet; there was no runtime, so no settings either. */
export function createRefusal(name: string, error: unknown): HttpListener {
  const text = error instanceof Error ? error.message : String(error);
  createPinoLog({ level: 'ERROR' }).error(
    `${name} cannot start: ${text}`,
    error instanceof PenstockError ? {} : { error },
  );
  return ({ url = '' }, response) => {
    const problem = problemOfRefusal(error, url);
    response.writeHead(problem.status, problemHeaders(problem));
    response.end(JSON.stringify(problem));
    return Promise.resolve();
  };
}
