import type { Block } from '../../ports/model.ts';
import { readConversation, type Conversation } from './conversation.ts';
import { matchTurn } from './match-turn.ts';
import type { WireAnswer, WireRequest } from './messages-protocol.ts';
import { digest, startMessagesServer, type MessagesServer } from './messages-server.ts';
import type { Script, ScriptTurn } from './script-file.ts';

/** How many calls are remembered for `calls()`. */
const MAX_REMEMBERED_CALLS = 2_000;

export interface ScriptCall {
  agent: string | undefined;
  task: string | undefined;
  assistantTurns: number;
  /** Id of the turn that answered; absent when none did. */
  turn?: string;
}

export interface ScriptServer extends MessagesServer {
  /** The newest calls, oldest first: for tests and reports, never used to answer. */
  calls: () => ScriptCall[];
}

/**
 * A model that answers from a script, over the Anthropic Messages API on loopback. Turns are matched, not played:
 * the server keeps no position, so the same request gets the same answer, after a restart too.
 * Without a match it answers 400 and says what each candidate lacked. Tokens are simulated from byte counts.
 */
export async function startScriptServer(config: { script: Script; port?: number }): Promise<ScriptServer> {
  const calls: ScriptCall[] = [];
  const { script, ...rest } = config;
  const server = await startMessagesServer({
    ...rest,
    answer: (request) => {
      const conversation = readConversation(request);
      const match = matchTurn(script, conversation);
      const { agent, task, assistantTurns } = conversation;
      calls.push({ agent, task, assistantTurns, ...('turn' in match && { turn: match.turn.id }) });
      if (calls.length > MAX_REMEMBERED_CALLS) calls.shift();
      return 'turn' in match ? toAnswer(match.turn, request, conversation) : refuse(match.reason);
    },
  });
  return { ...server, calls: () => [...calls] };
}

function refuse(message: string): WireAnswer {
  return { error: { status: 400, type: 'invalid_request_error', message } };
}

function toAnswer(
  { answer, usage, id }: ScriptTurn,
  request: WireRequest,
  { assistantTurns }: Conversation,
): WireAnswer {
  const text = answer.json === undefined ? answer.text : JSON.stringify(answer.json);
  const toolUses = (answer.tool_uses ?? []).map(({ name, input }, index): Block => {
    // Nothing random: a resumed conversation meets the ids that it stored.
    return { type: 'tool_use', id: `toolu_${digest([assistantTurns, index, name, input])}`, name, input };
  });
  const blocks: Block[] = text === undefined ? toolUses : [{ type: 'text', text }, ...toolUses];
  const stop = answer.stop ?? (toolUses.length > 0 ? 'tool_use' : 'end');
  if (request.outputSchema !== undefined && stop === 'end' && !isJson(text)) {
    return refuse(
      `Turn ${id} answers with text, but the request asks for structured output. Give it "json".`,
    );
  }
  return { blocks, stop, ...(usage !== undefined && { usage: definedOnly(usage) }) };
}

function isJson(text: string | undefined): boolean {
  try {
    JSON.parse(text ?? '');
    return true;
  } catch {
    return false;
  }
}

function definedOnly(usage: NonNullable<ScriptTurn['usage']>): Partial<Record<keyof typeof usage, number>> {
  return Object.fromEntries(Object.entries(usage).filter(([, value]) => value !== undefined));
}
