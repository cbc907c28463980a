import { setTimeout as sleep } from 'node:timers/promises';
import {
  ROOT_CONTEXT,
  type Span as OtelSpan,
  SpanKind,
  SpanStatusCode,
  trace as api,
  TraceFlags,
} from '@opentelemetry/api';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { resourceFromAttributes } from '@opentelemetry/resources';
import {
  BatchSpanProcessor,
  ParentBasedSampler,
  type SpanExporter,
  TraceIdRatioBasedSampler,
  TracerProvider,
} from '@opentelemetry/sdk-trace';
import { redact } from '../../core/repository/scan-secrets.ts';
import type { Span, SpanStart } from '../../ports/trace.ts';
import { formatTraceparent, type TraceContext } from '../../ports/traceparent.ts';

export interface SpanExportConfig {
  /** Of an OTLP collector's HTTP door for traces, path included. */
  url: string;
  /** What the spans are said to come from. */
  service: string;
  /** Share of new traces that is kept, 0 to 1; within a trace the first decision holds. */
  ratio: number;
  /** Nothing may be left to send once a request or message is answered: the process may get no time after that. */
  isFrozenAfterAnswer: boolean;
  /** Spans that could not be sent are lost; nothing else is. */
  onLost: (reason: string) => void;
}

export interface ExportedSpan extends Span {
  traceparent: string;
  /** Resolves when whoever waits for its end may be answered. */
  end(): Promise<void>;
}

export interface SpanExport {
  begin(start: SpanStart, parent: TraceContext | undefined): ExportedSpan;
  /** Sends what is not sent yet. */
  close(): Promise<void>;
}

const SEND_EVERY_MS = 1_000;
/** A collector that does not answer must not hold up the work itself. */
const MAX_WAIT_BEFORE_ANSWER_MS = 500;
const SEND_TIMEOUT_MS = 5_000;
const MAX_REASON_CHARS = 500;
const SAMPLED: number = TraceFlags.SAMPLED;
const KINDS = { server: SpanKind.SERVER, consumer: SpanKind.CONSUMER, internal: SpanKind.INTERNAL };

/** The OpenTelemetry SDK, sending spans in batches over OTLP (HTTP, JSON). */
export function openSpanExport(config: SpanExportConfig): SpanExport {
  const { url, service, ratio, isFrozenAfterAnswer, onLost } = config;
  const exporter = new OTLPTraceExporter({ url, timeoutMillis: SEND_TIMEOUT_MS });
  const provider = new TracerProvider({
    resource: resourceFromAttributes({ 'service.name': service }),
    sampler: new ParentBasedSampler({ root: new TraceIdRatioBasedSampler(ratio) }),
    spanProcessors: [
      new BatchSpanProcessor({
        exporter: told(exporter, onLost),
        scheduledDelayMillis: SEND_EVERY_MS,
        exportTimeoutMillis: SEND_TIMEOUT_MS,
      }),
    ],
  });
  const tracer = provider.getTracer('penstock');
  const sendBeforeAnswer = (): Promise<void> =>
    Promise.race([
      // What it could not send it has told already.
      provider.forceFlush({ timeoutMillis: MAX_WAIT_BEFORE_ANSWER_MS }).catch(() => undefined),
      sleep(MAX_WAIT_BEFORE_ANSWER_MS, undefined, { ref: false }),
    ]);
  return {
    begin: ({ name, kind = 'internal', fields = {} }, parent) => {
      const span = tracer.startSpan(name, { kind: KINDS[kind], attributes: fields }, contextOf(parent));
      const isAnswered = isFrozenAfterAnswer && kind !== 'internal' && span.isRecording();
      return exported(span, isAnswered ? sendBeforeAnswer : () => Promise.resolve());
    },
    close: () => provider.shutdown().catch(() => undefined),
  };
}

function contextOf(parent: TraceContext | undefined) {
  if (parent === undefined) return ROOT_CONTEXT;
  const { traceId, spanId, isSampled } = parent;
  const traceFlags = isSampled ? SAMPLED : TraceFlags.NONE;
  return api.setSpanContext(ROOT_CONTEXT, { traceId, spanId, traceFlags, isRemote: true });
}

function exported(span: OtelSpan, whenEnded: () => Promise<void>): ExportedSpan {
  const { traceId, spanId, traceFlags } = span.spanContext();
  const isSampled = (traceFlags & SAMPLED) === SAMPLED;
  return {
    traceparent: formatTraceparent({ traceId, spanId, isSampled }),
    note: (fields) => void span.setAttributes(fields),
    fail: (error) => {
      const message = redact(error instanceof Error ? error.message : String(error));
      span.setStatus({ code: SpanStatusCode.ERROR, message: message.slice(0, MAX_REASON_CHARS) });
    },
    end: () => {
      span.end();
      return whenEnded();
    },
  };
}

/** The SDK keeps to itself what it could not send. */
function told(exporter: SpanExporter, onLost: (reason: string) => void): SpanExporter {
  return {
    export: (spans, done) =>
      exporter.export(spans, (result) => {
        if (result.error !== undefined)
          onLost(`spans that were not sent: ${spans.length}, ${result.error.message}`);
        done(result);
      }),
    shutdown: () => exporter.shutdown(),
    forceFlush: async () => exporter.forceFlush?.(),
  };
}
