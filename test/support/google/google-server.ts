import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { z } from 'zod';

/** A call, as it came in. */
export interface ReceivedCall {
  /** As `jobs.run`. */
  operation: string;
  path: string;
  query: Record<string, string>;
  headers: IncomingMessage['headers'];
  body: unknown;
}

/** What an operation is given once the call has the published shape. */
export interface OperationCall<Body = unknown> {
  parameters: Record<string, string>;
  query: Record<string, string>;
  body: Body;
}

/** One method of a Google API, as its REST reference has it. */
export interface Operation {
  name: string;
  method: 'GET' | 'POST';
  /** With named groups. */
  path: RegExp;
  query?: string[];
  body?: z.ZodType;
  permissions: string[];
  answer: (call: OperationCall<never>) => object;
}

/** What goes wrong with a call. */
export interface Failure {
  /** An HTTP status; a broken connection; or the right answer, but so late. */
  as: number | 'reset' | { lateMs: number };
  /** It has its effect all the same. @default false */
  isApplied?: boolean;
  /** Of the error. */
  message?: string;
  /** @default 1 */
  times?: number;
}

export interface GoogleServer {
  url: string;
  /** Every call with an operation, oldest first. */
  calls: ReceivedCall[];
  /** Waits in line behind what is to go wrong with that operation already. */
  failNext(operation: string, failure: Failure): void;
  /** From now on the caller lacks an IAM permission. */
  deny(permission: string): void;
  stop(): Promise<void>;
}

/** An answer that is Google's error JSON. */
export class GoogleApiError extends Error {
  readonly status: number;
  readonly reason: string;

  constructor(status: number, message: string, reason = REASONS[status] ?? 'UNKNOWN') {
    super(message);
    this.status = status;
    this.reason = reason;
  }
}

const REASONS: Record<number, string> = {
  400: 'INVALID_ARGUMENT',
  401: 'UNAUTHENTICATED',
  403: 'PERMISSION_DENIED',
  404: 'NOT_FOUND',
  409: 'ABORTED',
  429: 'RESOURCE_EXHAUSTED',
  500: 'INTERNAL',
  503: 'UNAVAILABLE',
  504: 'DEADLINE_EXCEEDED',
};
/** Of every Google API (https://cloud.google.com/apis/docs/system-parameters). */
const SYSTEM_PARAMETERS = ['alt', '$alt', 'prettyPrint', '$prettyPrint', 'quotaUser', 'key'];

/** A Google API over HTTP on loopback: refuses what Google would refuse, with its error JSON, and fails as it is told. */
export async function startGoogleServer(
  operations: Operation[],
  { port = 0 }: { port?: number } = {},
): Promise<GoogleServer> {
  const calls: ReceivedCall[] = [];
  const failures: (Failure & { operation: string })[] = [];
  const denied = new Set<string>();
  const late = new Set<NodeJS.Timeout>();

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await readBody(request);
    const found = findOperation(operations, request);
    if (found === undefined) return sendHtml(response);
    const { operation, url, parameters } = found;
    const query = Object.fromEntries(url.searchParams);
    const call = { operation: operation.name, path: url.pathname, query, headers: request.headers, body };
    calls.push({ ...call, body: body === '' ? undefined : parseJson(body) });
    const failure = nextFailure(failures, operation.name);
    const work = (): object => {
      checkCaller(request, operation, denied);
      return operation.answer({
        parameters,
        query: checkQuery(query, operation),
        body: checkBody(body, operation) as never,
      });
    };
    if (failure === undefined) return sendJson(response, 200, work());
    const { as, isApplied = typeof as === 'object' } = failure;
    const answer = isApplied ? work() : {};
    if (as === 'reset') return void request.socket.destroy();
    if (typeof as === 'number') throw new GoogleApiError(as, failure.message ?? `the stand-in answers ${as}`);
    const timer = setTimeout(() => sendJson(response, 200, answer), as.lateMs);
    late.add(timer);
  }

  const server = createServer((request, response) => {
    serve(request, response).catch((error: unknown) => sendError(response, error));
  });
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    calls,
    failNext: (operation, failure) => {
      const { times = 1 } = failure;
      failures.push(...Array.from({ length: times }, () => ({ ...failure, operation })));
    },
    deny: (permission) => void denied.add(permission),
    stop: () =>
      new Promise((resolve) => {
        for (const timer of late) clearTimeout(timer);
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function findOperation(
  operations: Operation[],
  { method, url: target = '/' }: IncomingMessage,
): { operation: Operation; url: URL; parameters: Record<string, string> } | undefined {
  const url = new URL(target, 'http://127.0.0.1');
  for (const operation of operations) {
    const match = operation.method === method ? operation.path.exec(url.pathname) : null;
    if (match !== null) return { operation, url, parameters: { ...match.groups } };
  }
  return undefined;
}

function nextFailure(failures: (Failure & { operation: string })[], name: string): Failure | undefined {
  const at = failures.findIndex(({ operation }) => operation === name);
  return at < 0 ? undefined : failures.splice(at, 1)[0];
}

function checkCaller(
  { headers, url }: IncomingMessage,
  { permissions }: Operation,
  denied: Set<string>,
): void {
  if (!/^Bearer \S+$/.test(headers.authorization ?? '')) {
    throw new GoogleApiError(401, 'Request is missing required authentication credential.');
  }
  const lacking = permissions.find((permission) => denied.has(permission));
  if (lacking === undefined) return;
  const resource = url?.replace(/^\/v\d\/|[:?].*$/g, '');
  throw new GoogleApiError(
    403,
    `Permission '${lacking}' denied on resource '${resource}' (or resource may not exist).`,
  );
}

function checkQuery(query: Record<string, string>, { query: known = [] }: Operation): Record<string, string> {
  for (const name of Object.keys(query)) {
    if (known.includes(name) || SYSTEM_PARAMETERS.includes(name)) continue;
    const text = `Invalid JSON payload received. Unknown name "${name}": Cannot bind query parameter. Field '${name}' could not be found in request message.`;
    throw new GoogleApiError(400, text);
  }
  return query;
}

function checkBody(text: string, { body: schema = z.strictObject({}) }: Operation): unknown {
  const parsed = schema.safeParse(text === '' ? {} : parseJson(text));
  if (parsed.success) return parsed.data;
  throw new GoogleApiError(400, parsed.error.issues.map(describeIssue).join('\n'));
}

function describeIssue(issue: z.core.$ZodIssue): string {
  const at = issue.path.map((part) => (typeof part === 'number' ? `[${part}]` : `.${String(part)}`)).join('');
  const place = at === '' ? '' : ` at '${at.slice(1)}'`;
  if (issue.code !== 'unrecognized_keys') return `Invalid value${place}: ${issue.message}`;
  return issue.keys
    .map((key) => `Invalid JSON payload received. Unknown name "${key}"${place}: Cannot find field.`)
    .join('\n');
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new GoogleApiError(400, 'Invalid JSON payload received. Unexpected token.');
  }
}

async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
}

function sendJson(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/json; charset=UTF-8' }).end(JSON.stringify(body));
}

function sendError(response: ServerResponse, error: unknown): void {
  const { status, message, reason } =
    error instanceof GoogleApiError ? error : new GoogleApiError(500, `the stand-in broke: ${String(error)}`);
  sendJson(response, status, { error: { code: status, message, status: reason } });
}

/** What Google's front end says of a path that no API has. */
function sendHtml(response: ServerResponse): void {
  response.writeHead(404, { 'content-type': 'text/html; charset=UTF-8' }).end('<title>Error 404</title>');
}
