/** What a span is about, by the names that logs use. What is `undefined` is left out. */
export interface SpanFields {
  tenant?: string | undefined;
  run?: string | undefined;
  task?: string | undefined;
  generation?: number | undefined;
  [name: string]: string | number | boolean | undefined;
}

export interface SpanStart {
  name: string;
  /** `server`: a request came in; `consumer`: a message did. @default 'internal' */
  kind?: 'server' | 'consumer' | 'internal';
  /** W3C traceparent of what led to it. Absent, or none at all: the first span of a new trace. */
  parent: string | undefined;
  /** The parent comes from outside the platform: its trace goes on, but whether spans are kept is decided here. */
  isForeign?: boolean;
  fields?: SpanFields;
}

/** What is under way. */
export interface Span {
  note(fields: SpanFields): void;
  /** Marks it as failed where nothing is thrown. */
  fail(error: unknown): void;
}

/** One trace from webhook to attempt. The context goes on by itself through whatever `work` awaits. */
export interface Trace {
  /** W3C traceparent to hand on from here; `undefined` outside every span. */
  current(): string | undefined;
  /** Answers what `work` answers; what it throws marks the span as failed, and goes on. */
  span<T>(start: SpanStart, work: (span: Span) => Promise<T>): Promise<T>;
  /** Sends what is not sent yet. */
  close(): Promise<void>;
}
