import type { ModelRequest, Turn } from '../../ports/model.ts';
import { digest } from './messages-server.ts';

type Spoken = Pick<ModelRequest, 'system' | 'turns' | 'tools' | 'outputSchema'>;

/** What a scripted answer may depend on, read from the request alone. */
export interface Conversation {
  agent: string | undefined;
  task: string | undefined;
  assistantTurns: number;
  /** Everything that the agent was told and that its tools returned. */
  heard: string;
  /** What the tools returned last. */
  lastToolResult: string;
  fingerprint: string;
}

export function readConversation(request: Spoken): Conversation {
  const users = request.turns.filter((turn) => turn.role === 'user');
  return {
    agent: /^Agent: (\S+)\s*$/m.exec(request.system)?.[1],
    task: /^Task: (\S+)\s*$/m.exec(users[0] === undefined ? '' : textOf(users[0]))?.[1],
    assistantTurns: request.turns.filter(hasSpoken).length,
    heard: users.map(textOf).join('\n'),
    lastToolResult: toolResultsOf(request.turns.findLast((turn) => toolResultsOf(turn) !== '')),
    fingerprint: fingerprintOf(request),
  };
}

/** Same for what reads the same: without ids, thinking, durations, times of day and commit hashes. */
export function fingerprintOf({ system, turns, tools, outputSchema }: Spoken): string {
  const said = turns.map(({ role, blocks }) => ({
    role,
    blocks: blocks.flatMap((block): unknown[] => {
      if (block.type === 'text') return block.text === '' ? [] : [steady(block.text)];
      if (block.type === 'tool_use') return [{ name: block.name, input: sorted(block.input) }];
      if (block.type === 'tool_result') return [{ result: steady(block.content), isError: block.isError }];
      return [];
    }),
  }));
  const spoken = said.filter(({ blocks }) => blocks.length > 0);
  return digest([steady(system), spoken, tools.map(({ name }) => name), outputSchema !== undefined]);
}

function steady(text: string): string {
  return (
    text
      // Where an attempt has its workspace: test output names it, and no two attempts share it.
      .replaceAll(
        /(?:file:\/\/)?\/[^\s'"()]*?\/jobs\/[a-z0-9-]+\/(?:workspace\/[^\s/'"()]+|home)/g,
        '<workspace>',
      )
      .replaceAll(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z?/g, '<time>')
      .replaceAll(/\b[0-9a-f]{40}([0-9a-f]{24})?\b/g, '<sha>')
      .replaceAll(
        /\b(duration_ms )?\d+(\.\d+)?( ?m?s\b)?/g,
        (all, key?: string, _fraction?: string, unit?: string) =>
          key === undefined && unit === undefined ? all : '<duration>',
      )
  );
}

/** A copy whose objects have their keys in alphabetical order. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([key, item]) => [key, sorted(item)]));
}

/** A turn of nothing but thinking does not reach another provider. */
function hasSpoken({ role, blocks }: Turn): boolean {
  return role === 'assistant' && blocks.some(({ type }) => type === 'text' || type === 'tool_use');
}

function textOf(turn: Turn): string {
  return turn.blocks
    .map((block) => (block.type === 'text' ? block.text : block.type === 'tool_result' ? block.content : ''))
    .join('\n');
}

function toolResultsOf(turn: Turn | undefined): string {
  return (turn?.blocks ?? []).map((block) => (block.type === 'tool_result' ? block.content : '')).join('\n');
}
