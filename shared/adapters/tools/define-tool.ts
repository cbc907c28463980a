import { z } from 'zod';
import type { ToolName } from '../../messages/agent-file.ts';
import { PenstockError } from '../../ports/penstock-error.ts';
import type { Tool, ToolResult } from '../../ports/tool.ts';
import { Denied } from './path-guard.ts';

export interface ToolDefinition<S extends z.ZodObject> {
  name: ToolName;
  description: string;
  input: S;
  run(input: z.infer<S>, signal: AbortSignal): Promise<Omit<ToolResult, 'isError'> & { isError?: boolean }>;
}

/** A tool whose input is checked; what the model did wrong becomes a result it can read. Throws only for what is not its doing. */
export function defineTool<S extends z.ZodObject>(definition: ToolDefinition<S>): Tool {
  const { name, description, input } = definition;
  const { $schema: _dialect, ...inputSchema } = z.toJSONSchema(input, { io: 'input' });
  return {
    spec: { name, description, inputSchema },
    async run(raw, signal) {
      signal.throwIfAborted();
      const parsed = input.safeParse(raw);
      if (!parsed.success) return failure(`${name}: ${z.prettifyError(parsed.error)}`);
      try {
        return { isError: false, ...(await definition.run(parsed.data, signal)) };
      } catch (error) {
        if (error instanceof Denied) return denied(error.message);
        if (!signal.aborted && isOfTheModel(error)) return failure(error.message);
        throw error;
      }
    },
  };
}

/** Such as a pattern that takes too long, or too many new files: the model can do something about it. */
function isOfTheModel(error: unknown): error is PenstockError {
  return (
    error instanceof PenstockError && ['invalid', 'timeout', 'too_large', 'not_found'].includes(error.code)
  );
}

/** The summary begins with the word by which the transcript tells a refusal from a failure. */
function denied(message: string): ToolResult {
  const result = failure(message);
  return { ...result, summary: `denied: ${result.summary ?? ''}` };
}

function failure(message: string): ToolResult {
  const content = message.slice(0, 2_000);
  return { content, isError: true, summary: content.split('\n')[0]!.slice(0, 200) };
}
