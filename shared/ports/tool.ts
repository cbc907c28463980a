import type { ToolSpec } from './model.ts';

export interface ToolResult {
  /** What the model sees. */
  content: string;
  isError: boolean;
  /** For the transcript, such as a path or an exit code; never secrets. */
  summary?: string;
}

/**
 * One thing an agent may do. `run` never throws for what the model did wrong: that is a result with `isError`.
 * `callId` is the model's own name of the call, for tools whose effect outlives the attempt.
 */
export interface Tool {
  spec: ToolSpec;
  run(input: unknown, signal: AbortSignal, callId?: string): Promise<ToolResult>;
}
