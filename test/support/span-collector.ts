import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface CollectedSpan {
  service: string;
  name: string;
  traceId: string;
  spanId: string;
  /** Empty: the first of its trace. */
  parentSpanId: string;
  attributes: Record<string, unknown>;
  /** What it failed with. */
  failure: string | undefined;
}

/** Takes spans as an OpenTelemetry collector does: OTLP over HTTP, in JSON. */
export interface SpanCollector {
  /** For `OTEL_EXPORTER_OTLP_ENDPOINT`. */
  url: string;
  spans(): CollectedSpan[];
  /** Refuses everything with this status. */
  refuse(status: number): void;
  /** Answers nothing any more. */
  hang(): void;
  stop(): Promise<void>;
}

interface WireSpan {
  name: string;
  traceId: string;
  spanId: string;
  parentSpanId?: string;
  attributes: WireAttribute[];
  status: { code?: number; message?: string };
}
interface WireAttribute {
  key: string;
  value: Record<string, unknown>;
}
interface WireRequest {
  resourceSpans: { resource: { attributes: WireAttribute[] }; scopeSpans: { spans: WireSpan[] }[] }[];
}

/** `STATUS_CODE_ERROR` of the protocol. */
const ERROR = 2;

export async function startSpanCollector(): Promise<SpanCollector> {
  const spans: CollectedSpan[] = [];
  let refusal = 200;
  let isHung = false;
  const server = createServer((request, response) => {
    void (async () => {
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk as Buffer);
      const isRight = request.method === 'POST' && request.url === '/v1/traces';
      const isJson = request.headers['content-type'] === 'application/json';
      const status = isRight && isJson ? refusal : 404;
      if (status === 200) spans.push(...read(JSON.parse(Buffer.concat(chunks).toString()) as WireRequest));
      if (!isHung) response.writeHead(status, { 'content-type': 'application/json' }).end('{}');
    })();
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    spans: () => [...spans],
    refuse: (status) => {
      refusal = status;
    },
    hang: () => {
      isHung = true;
    },
    stop: async () => {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}

function read({ resourceSpans }: WireRequest): CollectedSpan[] {
  return resourceSpans.flatMap(({ resource, scopeSpans }) => {
    const service = String(attributesOf(resource.attributes)['service.name']);
    return scopeSpans.flatMap(({ spans }) => spans.map((span) => ({ service, ...collected(span) })));
  });
}

function collected(span: WireSpan): Omit<CollectedSpan, 'service'> {
  const { name, traceId, spanId, parentSpanId = '', status } = span;
  const failure = status.code === ERROR ? (status.message ?? '') : undefined;
  return { name, traceId, spanId, parentSpanId, attributes: attributesOf(span.attributes), failure };
}

function attributesOf(attributes: WireAttribute[]): Record<string, unknown> {
  return Object.fromEntries(attributes.map(({ key, value }) => [key, Object.values(value)[0]]));
}
