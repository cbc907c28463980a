import type { Clock } from '../../ports/clock.ts';
import type { Block } from '../../ports/model.ts';
import type { Tool, ToolResult } from '../../ports/tool.ts';
import { MAX_CALLS_PER_TURN, MAX_TOOL_INPUT_CHARS, MAX_TOOL_RESULT_CHARS } from './limits.ts';
import { messageOf } from './attempt-failures.ts';
import type { Transcript } from './transcript.ts';

export type ToolUse = Extract<Block, { type: 'tool_use' }>;

export interface ToolCall {
  name: string;
  input: unknown;
  /** Whether it was run at all. */
  allowed: boolean;
  isError: boolean;
}

export interface ToolTurn {
  tools: Tool[];
  transcript: Transcript;
  clock: Clock;
  signal: AbortSignal;
  /** Aborted: what is left of the turn's calls is not run. */
  interruption: AbortSignal;
}

/** Runs the calls of one turn in order, since they share a workspace; every call gets a result and a transcript line, allowed or not. */
export async function runToolCalls(
  uses: ToolUse[],
  turn: ToolTurn,
): Promise<{ results: Block[]; calls: ToolCall[] }> {
  const results: Block[] = [];
  const calls: ToolCall[] = [];
  for (const [index, use] of uses.entries()) {
    turn.signal.throwIfAborted();
    const { result, call } = await runToolCall(use, index, turn);
    calls.push(call);
    results.push({
      type: 'tool_result',
      toolUseId: use.id,
      content: cutMiddle(result.content),
      isError: result.isError,
    });
  }
  return { results, calls };
}

async function runToolCall(
  use: ToolUse,
  index: number,
  turn: ToolTurn,
): Promise<{ result: ToolResult; call: ToolCall }> {
  const startedAt = turn.clock.now();
  const tool = turn.tools.find(({ spec }) => spec.name === use.name);
  const isOverLimit = index >= MAX_CALLS_PER_TURN;
  const isRun = tool !== undefined && !isOverLimit && !turn.interruption.aborted;
  const result = isRun ? await runSafely(tool, use, turn.signal) : refusal(use, turn, isOverLimit);
  const allowed = isRun && !isDenied(result);
  turn.transcript.write({
    kind: 'tool',
    name: use.name,
    input: JSON.stringify(use.input ?? null).slice(0, MAX_TOOL_INPUT_CHARS),
    allowed,
    isError: result.isError,
    summary: result.summary ?? '',
    ms: turn.clock.now() - startedAt,
  });
  return { result, call: { name: use.name, input: use.input, allowed, isError: result.isError } };
}

/** A tool that breaks is a result that the agent can react to; an attempt that has to end is not. */
async function runSafely(tool: Tool, use: ToolUse, signal: AbortSignal): Promise<ToolResult> {
  try {
    const result = await tool.run(use.input, signal, use.id);
    signal.throwIfAborted();
    return result;
  } catch (error) {
    signal.throwIfAborted();
    return { content: `The tool ${use.name} failed: ${messageOf(error)}`, isError: true, summary: 'failed' };
  }
}

function refusal(use: ToolUse, { tools, interruption }: ToolTurn, isOverLimit: boolean): ToolResult {
  if (interruption.aborted) return { content: INTERRUPTED, isError: true, summary: 'denied: interrupted' };
  const reason = isOverLimit
    ? `Only ${MAX_CALLS_PER_TURN} tool calls are run in one turn; this one was not. Make it again if you still need it.`
    : `There is no tool ${use.name}. You have: ${tools.map(({ spec }) => spec.name).join(', ') || 'none'}.`;
  return { content: reason, isError: true, summary: 'denied' };
}

const INTERRUPTED =
  'This call was not run: somebody who may steer the run has broken in. Read what they say, then make it again if it is still right.';

function isDenied(result: ToolResult): boolean {
  return result.isError && (result.summary ?? '').startsWith('denied');
}

function cutMiddle(text: string): string {
  if (text.length <= MAX_TOOL_RESULT_CHARS) return text;
  const half = MAX_TOOL_RESULT_CHARS / 2;
  return `${text.slice(0, half)}\n… ${text.length - MAX_TOOL_RESULT_CHARS} characters left out …\n${text.slice(-half)}`;
}
