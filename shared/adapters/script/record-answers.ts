import type { Model, ModelAnswer, ModelRequest } from '../../ports/model.ts';
import { readConversation } from './conversation.ts';
import { formatScript, type Script, type ScriptTurn } from './script-file.ts';

export interface Recording {
  name: string;
  /** Stores the whole script as text; called after each answer, one call at a time. */
  write: (text: string) => Promise<void>;
  /** Epoch milliseconds. */
  now: number;
}

/**
 * A model that also writes every answer into a script. Replayed, the script gives the same answers to the same
 * conversations; durations, times and commit hashes in them may differ. Thinking is not recorded.
 */
export function recordAnswers(model: Model, { name, write, now }: Recording): Model {
  const turns: ScriptTurn[] = [];
  const models = new Set<string>();
  let writing = Promise.resolve();

  const record = async (request: ModelRequest, answer: ModelAnswer) => {
    const turn = toScriptTurn(request, answer, turns.length + 1);
    models.add(answer.model);
    const known = turns.findIndex((other) => other.when.fingerprint === turn.when.fingerprint);
    if (known >= 0) turns[known] = { ...turn, id: turns[known]?.id ?? turn.id };
    else turns.push(turn);
    const day = new Date(now).toISOString().slice(0, 10);
    const note = `recorded on ${day} from ${[...models].join(', ')} (${model.provider})`;
    const text = formatScript({ name, note, turns } satisfies Script);
    writing = writing.catch(() => undefined).then(() => write(text));
    await writing;
  };

  return {
    provider: model.provider,
    countTokens: (request) => model.countTokens(request),
    answer: async (request) => {
      const answer = await model.answer(request);
      await record(request, answer);
      return answer;
    },
  };
}

function toScriptTurn(request: ModelRequest, { turn, stop, usage }: ModelAnswer, number: number): ScriptTurn {
  const { agent = 'unknown', task, assistantTurns, fingerprint } = readConversation(request);
  const text = turn.blocks.flatMap((block) => (block.type === 'text' ? [block.text] : [])).join('\n');
  const toolUses = turn.blocks.flatMap((block) =>
    block.type === 'tool_use' ? [{ name: block.name, input: toObject(block.input) }] : [],
  );
  return {
    id: `${task ?? agent}-${assistantTurns + 1}-${number}`,
    agent,
    when: { ...(task !== undefined && { task }), assistantTurns, fingerprint },
    answer: { ...(text !== '' && { text }), ...(toolUses.length > 0 && { tool_uses: toolUses }), stop },
    usage: { ...usage },
  };
}

function toObject(input: unknown): Record<string, unknown> {
  return typeof input === 'object' && input !== null ? { ...input } : {};
}
