import {
  connectionError,
  connectionFailedError,
  httpError,
  type Raised,
  resourceLimitError,
  timeoutError,
  typeError,
} from '../errors.ts';
import { plainText } from '../plain-text.ts';
import { fromJson, isMap, toJson, typeName, type Value, type ValueMap } from '../values.ts';
import type { Execution } from './fiber.ts';
import { RUN_LIMITS } from './run-limits.ts';

export interface Exchange {
  readonly method: string;
  readonly url: string;
  readonly headers: Headers;
  readonly body: Value;
  readonly timeoutSeconds: number;
}

const USER_AGENT = 'GoogleCloudWorkflows; (+https://cloud.google.com/workflows/docs)';

/**
 * One request and its answer, `{body, code, headers}`.
 *
 * @throws Raised HttpError from 400 on, TimeoutError, ConnectionError, ConnectionFailedError
 */
export async function exchange(execution: Execution, request: Exchange): Promise<Value> {
  const { services } = execution;
  const body = encode(request);
  if (!request.headers.has('user-agent')) request.headers.set('user-agent', USER_AGENT);
  const deadline = startDeadline(execution, request.timeoutSeconds);
  try {
    const { method, headers, url } = request;
    const sent = body === undefined ? {} : { body };
    const response = await services.fetch(url, { method, headers, signal: deadline.signal, ...sent });
    return await answerOf(response);
  } catch (error) {
    if (deadline.isOver()) throw timeoutError('request timed out');
    throw translated(error);
  } finally {
    deadline.dispose();
  }
}

interface Deadline {
  signal: AbortSignal;
  isOver(): boolean;
  dispose(): void;
}

/** The request ends at its deadline, and with its execution. */
function startDeadline(execution: Execution, seconds: number): Deadline {
  const { clock } = execution.services;
  const controller = new AbortController();
  let isOver = false;
  const cancel = clock.at(clock.now() + seconds * 1_000, () => {
    isOver = true;
    controller.abort();
  });
  const forget = execution.onEnd(() => controller.abort());
  return {
    signal: controller.signal,
    isOver: () => isOver,
    dispose() {
      cancel();
      forget();
    },
  };
}

function encode({ headers, body }: Exchange): Uint8Array<ArrayBuffer> | string | undefined {
  if (body === null) return undefined;
  const type = headers.get('content-type')?.toLowerCase();
  if (body instanceof Uint8Array) {
    if (type === undefined) headers.set('content-type', 'application/octet-stream');
    return new Uint8Array(body);
  }
  if (type === undefined) headers.set('content-type', 'application/json; charset=utf-8');
  else if (type.startsWith('application/x-www-form-urlencoded')) return formOf(body);
  else if (!isJson(type) && typeof body === 'string') return body;
  return toJson(body);
}

function formOf(body: Value): string {
  if (typeof body === 'string') return body;
  if (!isMap(body)) throw typeError(`a form takes a map as body, got ${typeName(body)}`);
  const form = new URLSearchParams();
  for (const [key, value] of body) form.append(key, plainText(value));
  return form.toString();
}

function isJson(type: string): boolean {
  return /^application\/(?:[\w.+-]+\+)?json\b/.test(type);
}

async function answerOf(response: Response): Promise<Value> {
  const body = bodyOf(await readBytes(response), response.headers.get('content-type')?.toLowerCase() ?? '');
  const headers: ValueMap = new Map([...response.headers].map(([name, value]) => [name, value]));
  const { status } = response;
  if (status >= 400) throw httpError({ code: status, headers, body });
  return new Map<string, Value>([
    ['body', body],
    ['code', BigInt(status)],
    ['headers', headers],
  ]);
}

async function readBytes(response: Response): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of response.body ?? []) {
    chunks.push(chunk as Uint8Array);
    size += (chunk as Uint8Array).byteLength;
    if (size > RUN_LIMITS.responseBytes)
      throw resourceLimitError(`an HTTP response has more than ${RUN_LIMITS.responseBytes / 1024 ** 2} MB`);
  }
  return new Uint8Array(Buffer.concat(chunks));
}

/** JSON is parsed, text is a string, anything else bytes; what says that it is JSON and is not stays text. */
export function bodyOf(bytes: Uint8Array, type: string): Value {
  const text = (): string => new TextDecoder().decode(bytes);
  if (isJson(type)) {
    if (bytes.length === 0) return null;
    try {
      return fromJson(text());
    } catch {
      return text();
    }
  }
  return type === '' || type.startsWith('text/') ? text() : bytes;
}

/** Codes of a connection that was never made. */
const NEVER_MADE = [
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'UND_ERR_CONNECT_TIMEOUT',
];

/** `fetch` says only "fetch failed", and why in its cause. */
function translated(error: unknown): unknown {
  if (isRaised(error)) return error;
  const { cause, message } = error as { cause?: { code?: unknown }; message?: string };
  const code = typeof cause?.code === 'string' ? cause.code : undefined;
  const text = code ?? message ?? String(error);
  return code !== undefined && NEVER_MADE.includes(code)
    ? connectionFailedError(`the connection failed: ${text}`)
    : connectionError(`the connection broke: ${text}`);
}

function isRaised(error: unknown): error is Raised {
  return error instanceof Error && error.name === 'Raised';
}
