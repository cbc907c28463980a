import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { z } from 'zod';
import { UnpublishedShape, type Answer, type StorageApiError } from './storage-api-error.ts';

/** A call of one operation. */
export interface OperationCall {
  /** Of the path. */
  parameters: Record<string, string>;
  query: URLSearchParams;
  headers: IncomingHttpHeaders;
  /** Path and query as they came over the wire. */
  target: string;
  /** Scheme, host and port at which the caller finds this server. */
  origin: string;
  /** @throws BrokenBody with what came, where the connection ended before the body. */
  readBody(): Promise<Buffer>;
}

/** One method of a published API. */
export interface StorageOperation {
  /** As `objects.insert`. */
  name: string;
  method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /** Percent-encoded, with named groups. */
  path: RegExp;
  /** Query parameters with these values tell it from others of the same path. */
  when?: Record<string, string | RegExp>;
  query: string[];
  serve(call: OperationCall): Answer | Promise<Answer>;
  refuse(error: StorageApiError): Answer;
}

/** The connection ended within a body. */
export class BrokenBody extends Error {
  readonly received: Buffer;

  constructor(received: Buffer) {
    super(`the connection ended after ${received.byteLength} bytes`);
    this.received = received;
  }
}

/** Of every method (https://cloud.google.com/apis/docs/system-parameters). */
const SYSTEM_PARAMETERS = ['alt', 'prettyPrint', 'quotaUser', 'userIp', 'key'];

export function findOperation(
  operations: StorageOperation[],
  method: string,
  url: URL,
): { operation: StorageOperation; parameters: Record<string, string> } | undefined {
  for (const operation of operations) {
    const found = operation.method === method ? operation.path.exec(url.pathname) : null;
    const conditions = Object.entries(operation.when ?? {});
    const holds = conditions.every(([name, wanted]) => {
      const value = url.searchParams.get(name) ?? '';
      return typeof wanted === 'string' ? value === wanted : wanted.test(value);
    });
    if (found === null || !holds) continue;
    const parameters = Object.entries(found.groups ?? {}).map(([name, value]) => [name, decode(value)]);
    return { operation, parameters: Object.fromEntries(parameters) as Record<string, string> };
  }
  return undefined;
}

function decode(encoded: string): string {
  try {
    return decodeURIComponent(encoded);
  } catch {
    throw new UnpublishedShape(400, `Invalid percent-encoding in ${encoded}`);
  }
}

export function checkQuery({ query: known }: StorageOperation, query: URLSearchParams): void {
  for (const name of query.keys()) {
    if (known.includes(name) || SYSTEM_PARAMETERS.includes(name)) continue;
    throw new UnpublishedShape(400, `Unknown query parameter ${name}`);
  }
}

export function parseJson<T>(schema: z.ZodType<T>, text: string): T {
  const parsed = schema.safeParse(text === '' ? {} : tryJson(text));
  if (parsed.success) return parsed.data;
  throw new UnpublishedShape(400, `Invalid value in the body: ${z.prettifyError(parsed.error)}`);
}

function tryJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new UnpublishedShape(400, 'Parse Error');
  }
}

/** The whole body, or as much as came before the connection ended, or before the server ends it itself. */
export function bodyReader(request: IncomingMessage, cutAfterBytes?: number): () => Promise<Buffer> {
  return async () => {
    const chunks: Buffer[] = [];
    let size = 0;
    try {
      for await (const chunk of request) {
        chunks.push(chunk as Buffer);
        size += (chunk as Buffer).byteLength;
        if (cutAfterBytes !== undefined && size >= cutAfterBytes) request.socket.destroy();
      }
    } catch {
      throw new BrokenBody(Buffer.concat(chunks).subarray(0, cutAfterBytes));
    }
    return Buffer.concat(chunks);
  };
}
