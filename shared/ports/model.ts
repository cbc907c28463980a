export type ModelProvider = 'anthropic' | 'openai' | 'script';

export type Block =
  | { type: 'text'; text: string }
  | { type: 'tool_use'; id: string; name: string; input: unknown }
  | { type: 'tool_result'; toolUseId: string; content: string; isError: boolean }
  | { type: 'thinking'; text: string }
  /** What only its provider understands (signatures, server tools): sent back unchanged to the same provider, dropped for another. */
  | { type: 'opaque' };

export interface Turn {
  role: 'user' | 'assistant';
  blocks: Block[];
  /** The provider's own content, kept verbatim on answers. */
  raw?: { provider: ModelProvider; content: unknown };
}

export interface ToolSpec {
  name: string;
  description: string;
  /** JSON Schema of the input object. */
  inputSchema: Record<string, unknown>;
}

export interface ModelRequest {
  /** Model id, such as `claude-sonnet-5-5`. */
  model: string;
  /** Byte-stable across the turns of one attempt, so that the provider's prompt cache hits. */
  system: string;
  turns: Turn[];
  tools: ToolSpec[];
  maxOutputTokens: number;
  /** JSON Schema: the answer's text is one JSON value of that shape. */
  outputSchema?: Record<string, unknown>;
  /** Milliseconds for the whole call, the provider's own retries included. */
  timeoutMs: number;
  signal?: AbortSignal;
}

/** Tokens. `input` excludes what was read from or written to the cache. */
export interface Usage {
  input: number;
  output: number;
  cacheRead: number;
  cacheWrite: number;
}

export type Stop = 'end' | 'tool_use' | 'truncated' | 'refused' | 'context_full';

export interface ModelAnswer {
  turn: Turn;
  stop: Stop;
  usage: Usage;
  /** The model that really answered. */
  model: string;
}

/**
 * One call, one answer. Errors are `rate_limited` and `unavailable` (retry later, `afterMs` where the provider said so),
 * `timeout`, `not_found` (the model does not exist any more), `unauthenticated`, `invalid`, `budget` (no allowance left; nothing was spent).
 */
export interface Model {
  readonly provider: ModelProvider;
  answer(request: ModelRequest): Promise<ModelAnswer>;
  /** Input tokens that the request would use. */
  countTokens(request: ModelRequest): Promise<number>;
}
