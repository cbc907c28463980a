import { fillTemplate } from '../agents/fill-template.ts';
import type { Prompts } from '../agents/render-prompt.ts';
import type { AttemptBrief, AttemptFailure } from '../../messages/attempt-api.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Block, Model, ModelAnswer, ToolSpec, Turn } from '../../ports/model.ts';
import { PenstockError } from '../../ports/penstock-error.ts';
import { failure, modelFailure } from './attempt-failures.ts';
import { LAST_TURNS, MODEL_CALL_MS } from './limits.ts';
import { newsOf, sayIncoming } from './news.ts';
import type { Steering } from './steering.ts';
import type { Transcript } from './transcript.ts';

export interface ConversationConfig {
  brief: AttemptBrief;
  model: Model;
  prompts: Prompts;
  system: string;
  /** Turns of the attempt before, ending with a user turn, or none. */
  resumed: Turn[];
  firstTurn: string;
  tools: ToolSpec[];
  outputSchema?: Record<string, unknown>;
  transcript: Transcript;
  steering: Steering;
  clock: Clock;
}

/** The turns of one attempt. All that is said is written to the transcript. */
export interface Conversation {
  /**
   * One call of the model; its turn is not kept until `keep`. Throws when the attempt has to end.
   * `interrupted`: a person broke into the call, and what they say is to be said.
   */
  ask(): Promise<ModelAnswer | 'interrupted' | { failure: AttemptFailure }>;
  /** Adds the model's turn; durable when it resolves, so that no tool runs for a turn that nobody would know of. */
  keep(answer: ModelAnswer, blocks?: Block[]): Promise<void>;
  /** Adds a user turn, with what came in from outside since the last one. */
  say(blocks: Block[]): void;
}

export function openConversation(config: ConversationConfig): Conversation {
  const { brief, model, prompts, transcript, steering, clock } = config;
  const turns: Turn[] = [...config.resumed];
  const told = { wrapUp: false, lastTurns: false };
  let turnsUsed = 0;

  function say(blocks: Block[]): void {
    const texts = incoming().map((text): Block => ({ type: 'text', text }));
    const turn: Turn = { role: 'user', blocks: [...blocks, ...texts] };
    turns.push(turn);
    transcript.write({ kind: 'turn', turn });
  }

  function incoming(): string[] {
    const texts = steering.takeMessages().map((each) => sayIncoming(each, prompts));
    const turnsLeft = brief.limits.turns - turnsUsed;
    if (steering.isWrapUpDue() && !told.wrapUp) {
      told.wrapUp = true;
      texts.push(prompts['wrap-up']);
    } else if (turnsUsed > 0 && turnsLeft <= LAST_TURNS && !told.lastTurns && !told.wrapUp) {
      told.lastTurns = true;
      texts.push(fillTemplate(prompts['last-turns'], { turns: String(turnsLeft) }));
    }
    return texts;
  }

  async function ask(): Promise<ModelAnswer | 'interrupted' | { failure: AttemptFailure }> {
    steering.signal.throwIfAborted();
    if (turnsUsed >= brief.limits.turns) {
      return { failure: failure('turn_limit', `The agent was not done after ${brief.limits.turns} turns.`) };
    }
    turnsUsed += 1;
    const interruption = steering.interruption();
    if (interruption.aborted) return 'interrupted';
    try {
      const answer = await model.answer({
        model: brief.model.id,
        system: config.system,
        turns,
        tools: config.tools,
        maxOutputTokens: brief.model.maxOutputTokens,
        ...(config.outputSchema === undefined ? {} : { outputSchema: config.outputSchema }),
        timeoutMs: Math.max(1, Math.min(MODEL_CALL_MS, brief.limits.hardLimitAt - clock.now())),
        signal: AbortSignal.any([steering.signal, interruption]),
      });
      steering.signal.throwIfAborted();
      return answer;
    } catch (error) {
      steering.signal.throwIfAborted();
      if (error instanceof PenstockError && error.code === 'stale') throw error;
      if (interruption.aborted) return 'interrupted';
      return { failure: modelFailure(error) };
    }
  }

  async function keep(answer: ModelAnswer, blocks?: Block[]): Promise<void> {
    const turn: Turn = blocks === undefined ? answer.turn : { role: 'assistant', blocks };
    turns.push(turn);
    transcript.write({ kind: 'turn', turn, model: answer.model, usage: answer.usage });
    await transcript.flush();
  }

  const opening = [
    ...(turns.length === 0 ? [config.firstTurn] : wasHurried(turns, prompts) ? [prompts.continued] : []),
    ...newsOf(brief, turns, prompts),
  ];
  if (opening.length > 0) say(opening.map((text) => ({ type: 'text', text })));
  return { ask, keep, say };
}

/** Whether the attempt before was told that its time or turns run out: the next one has its own. */
function wasHurried(turns: Turn[], prompts: Prompts): boolean {
  const endings = [prompts['wrap-up'], prompts['last-turns'].split('{{turns}}').at(-1) ?? ''];
  const said = turns.filter(({ role }) => role === 'user').flatMap(({ blocks }) => blocks);
  return said.some((block) => block.type === 'text' && endings.some((ending) => block.text.endsWith(ending)));
}
