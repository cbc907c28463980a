import { AsyncLocalStorage } from 'node:async_hooks';
import type { Span, SpanStart, Trace } from '../../ports/trace.ts';
import { formatTraceparent, parseTraceparent, type TraceContext } from '../../ports/traceparent.ts';
import type { ExportedSpan, SpanExport, SpanExportConfig } from './span-export.ts';
import { newSpanId, newTraceId } from './trace-ids.ts';

export interface OpenTelemetryTraceConfig {
  /** Where spans go. Absent: none is kept, no library of OpenTelemetry is loaded, and traces go on all the same. */
  exported?: SpanExportConfig | undefined;
}

/**
 * W3C contexts through asynchronous calls, with spans of the OpenTelemetry SDK where they are exported. Nothing global is set:
 * several may live in one process, and no library finds a tracer that nobody gave it.
 */
export async function createOpenTelemetryTrace({ exported }: OpenTelemetryTraceConfig = {}): Promise<Trace> {
  const active = new AsyncLocalStorage<string>();
  const sdk = exported === undefined ? undefined : await openExport(exported);
  const isForeignKept = (): boolean => exported !== undefined && Math.random() < exported.ratio;

  return {
    current: () => active.getStore(),
    span: (start, work) => {
      const parent = parentOf(start, isForeignKept);
      if (sdk === undefined) return active.run(formatTraceparent(parent ?? newContext()), work, UNKEPT);
      const span = sdk.begin(start, parent);
      return active.run(span.traceparent, () => finish(span, work));
    },
    close: async () => sdk?.close(),
  };
}

/** Loaded where it is used: the SDK is most of what a process would hold. */
async function openExport(config: SpanExportConfig): Promise<SpanExport> {
  const { openSpanExport } = await import('./span-export.ts');
  return openSpanExport(config);
}

/** A caller from outside may name its trace, which costs nothing; what is kept, and paid for, is not its decision. */
function parentOf(
  { parent, isForeign = false }: SpanStart,
  isForeignKept: () => boolean,
): TraceContext | undefined {
  const known = parseTraceparent(parent);
  return known === undefined || !isForeign ? known : { ...known, isSampled: isForeignKept() };
}

/** The first of a trace that nobody keeps here. Later ones name the same parent, so that those who keep theirs hang together. */
function newContext(): TraceContext {
  return { traceId: newTraceId(), spanId: newSpanId(), isSampled: false };
}

const UNKEPT: Span = { note: () => undefined, fail: () => undefined };

async function finish<T>(span: ExportedSpan, work: (span: Span) => Promise<T>): Promise<T> {
  try {
    return await work(span);
  } catch (error) {
    span.fail(error);
    throw error;
  } finally {
    await span.end();
  }
}
