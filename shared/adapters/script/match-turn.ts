import type { Conversation } from './conversation.ts';
import type { Script, ScriptTurn } from './script-file.ts';

/** How many candidates a refusal explains. */
const MAX_EXPLAINED = 12;

export type Match = { turn: ScriptTurn } | { reason: string };

/** The first turn of the script whose every condition holds; otherwise what each candidate lacked. */
export function matchTurn({ turns, name }: Script, conversation: Conversation): Match {
  const { agent, task, assistantTurns } = conversation;
  const candidates = turns.filter((turn) => turn.agent === agent);
  const lacks: string[] = [];
  for (const turn of candidates) {
    const lack = lackOf(turn, conversation);
    if (lack === undefined) return { turn };
    lacks.push(`${turn.id}: ${lack}`);
  }
  const who = `agent ${agent ?? '(no line "Agent: …" in the system prompt)'}, task ${task ?? '(none)'}`;
  const tried =
    lacks.length === 0
      ? `The script has turns of ${[...new Set(turns.map((turn) => turn.agent))].join(', ')} only.`
      : nearestFirst(lacks, candidates, task).slice(0, MAX_EXPLAINED).join('; ');
  return { reason: `Script ${name} has no answer for ${who}, answer number ${assistantTurns + 1}. ${tried}` };
}

/** Turns of the same task explain most. */
function nearestFirst(lacks: string[], candidates: ScriptTurn[], task: string | undefined): string[] {
  const isNear = (_: string, index: number) => candidates[index]?.when.task === task;
  return [...lacks.filter(isNear), ...lacks.filter((lack, index) => !isNear(lack, index))];
}

/** Each check answers what the conversation lacks, or nothing. */
function lackOf({ when }: ScriptTurn, conversation: Conversation): string | undefined {
  if (when.task !== undefined && when.task !== conversation.task) return `is for task ${when.task}`;
  if (when.assistantTurns !== undefined && when.assistantTurns !== conversation.assistantTurns) {
    return `is for answer number ${when.assistantTurns + 1}`;
  }
  if (when.fingerprint !== undefined && when.fingerprint !== conversation.fingerprint) {
    return 'was recorded from another conversation';
  }
  const { heard, lastToolResult } = conversation;
  return (
    quote('nothing contains', missing(heard, when.contains)) ??
    quote('something contains', present(heard, when.notContains)) ??
    quote('the last tool result lacks', missing(lastToolResult, when.lastToolResultContains)) ??
    quote('the last tool result contains', present(lastToolResult, when.lastToolResultNotContains))
  );
}

function missing(text: string, words: string[] | undefined): string | undefined {
  return words?.find((word) => !text.includes(word));
}

function present(text: string, words: string[] | undefined): string | undefined {
  return words?.find((word) => text.includes(word));
}

function quote(what: string, word: string | undefined): string | undefined {
  return word === undefined ? undefined : `${what} ${JSON.stringify(word.slice(0, 80))}`;
}
