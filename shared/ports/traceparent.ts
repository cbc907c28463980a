/** A W3C trace context, read (https://www.w3.org/TR/trace-context/#traceparent-header). */
export interface TraceContext {
  /** 32 hexadecimal digits, not all zero. */
  traceId: string;
  /** 16 hexadecimal digits, not all zero. */
  spanId: string;
  /** Whether whoever sent it keeps its spans. */
  isSampled: boolean;
}

const SHAPE = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;
const ZEROS = /^0+$/;
const SAMPLED = 1;
/** Of the version that is written here: exactly the four fields. A later version may have more behind them. */
const VERSION = '00';

/** `undefined` for what is no traceparent: it comes from anywhere, so nothing is guessed. */
export function parseTraceparent(text: string | undefined): TraceContext | undefined {
  const [, version = '', traceId = '', spanId = '', flags = '', rest] = SHAPE.exec(text ?? '') ?? [];
  if (version === '' || version === 'ff' || (version === VERSION && rest !== undefined)) return undefined;
  if (ZEROS.test(traceId) || ZEROS.test(spanId)) return undefined;
  return { traceId, spanId, isSampled: (Number.parseInt(flags, 16) & SAMPLED) === SAMPLED };
}

export function formatTraceparent({ traceId, spanId, isSampled }: TraceContext): string {
  return `${VERSION}-${traceId}-${spanId}-0${isSampled ? SAMPLED : 0}`;
}
