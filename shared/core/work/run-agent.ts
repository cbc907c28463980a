import { fillTemplate } from '../agents/fill-template.ts';
import type { AttemptFailure } from '../../messages/attempt-api.ts';
import type { Block, ModelAnswer } from '../../ports/model.ts';
import type { Tool } from '../../ports/tool.ts';
import type { AgentAnswer, AnswerContract } from './agent-answer.ts';
import { failure } from './attempt-failures.ts';
import { openConversation, type Conversation, type ConversationConfig } from './conversation.ts';
import { MAX_CONTINUATIONS, MAX_REPAIRS } from './limits.ts';
import { runToolCalls, type ToolCall, type ToolUse } from './tool-turn.ts';

/** What somebody who looks at the answer makes of it: take it, tell the agent something and let it go on, or give up. */
export type Verdict = { accept: true } | { tell: string } | { failure: AttemptFailure };

export interface AgentRun extends Omit<ConversationConfig, 'tools' | 'outputSchema'> {
  tools: Tool[];
  contract: AnswerContract;
  /** After the results of a turn's tools are in the transcript: the moment for a checkpoint. */
  afterTools?(calls: ToolCall[]): Promise<void>;
  /** Judges an answer that has the right shape, such as by running the repository's checks. */
  judge?(answer: AgentAnswer): Promise<Verdict>;
}

export type AgentEnd = { answer: AgentAnswer; filesRead: number } | { failure: AttemptFailure };

interface Progress {
  filesRead: Set<string>;
  repairs: number;
  continuations: number;
  /** What a cut answer had said so far. */
  cutText: string;
}

/**
 * The agent loop: asks the model, runs its tools, until there is an answer that everybody accepts or a reason to fail.
 * Throws the reason of `steering.signal` when the attempt has to end, and `stale` when its claim is gone.
 */
export async function runAgent(run: AgentRun): Promise<AgentEnd> {
  const { schema } = run.contract;
  const conversation = openConversation({
    ...run,
    tools: run.tools.map(({ spec }) => spec),
    ...(schema === undefined ? {} : { outputSchema: schema }),
  });
  const progress: Progress = { filesRead: new Set(), repairs: 0, continuations: 0, cutText: '' };
  for (;;) {
    const answer = await conversation.ask();
    if (answer === 'interrupted') {
      conversation.say([]);
      continue;
    }
    if ('failure' in answer) return answer;
    const end = await react(run, conversation, progress, answer);
    if (end !== undefined) return end;
  }
}

async function react(
  run: AgentRun,
  conversation: Conversation,
  progress: Progress,
  answer: ModelAnswer,
): Promise<AgentEnd | undefined> {
  if (answer.stop === 'truncated') return continueCutAnswer(run, conversation, progress, answer);
  if (answer.stop === 'context_full') {
    return {
      failure: failure('turn_limit', `The conversation no longer fits the context of ${answer.model}.`),
    };
  }
  await conversation.keep(answer);
  if (answer.stop === 'refused') {
    return {
      failure: failure('model_refused', `${answer.model} refused the task. ${textOf(answer)}`.trim()),
    };
  }
  const uses = answer.turn.blocks.filter((block): block is ToolUse => block.type === 'tool_use');
  if (uses.length > 0) return useTools(run, conversation, progress, uses);
  if (answer.stop === 'end') return judgeAnswer(run, conversation, progress, textOf(answer));
  return { failure: failure('model_garbage', `${answer.model} stopped for a tool call but made none.`) };
}

/** A tool call that was cut has half an input: it is dropped, and the agent told to make it again. */
async function continueCutAnswer(
  run: AgentRun,
  conversation: Conversation,
  progress: Progress,
  answer: ModelAnswer,
): Promise<AgentEnd | undefined> {
  progress.continuations += 1;
  if (progress.continuations > MAX_CONTINUATIONS) {
    return {
      failure: failure('model_garbage', `${answer.model} was cut off at its output limit twice in a row.`),
    };
  }
  const said = answer.turn.blocks.filter((block) => block.type === 'text' && block.text.trim() !== '');
  if (said.length > 0) await conversation.keep(answer, said);
  progress.cutText += textOf(answer);
  conversation.say([text(run.prompts['continue-cut-answer'])]);
  return undefined;
}

async function useTools(
  run: AgentRun,
  conversation: Conversation,
  progress: Progress,
  uses: ToolUse[],
): Promise<undefined> {
  progress.continuations = 0;
  progress.cutText = '';
  const { results, calls } = await runToolCalls(uses, {
    ...run,
    signal: run.steering.signal,
    interruption: run.steering.interruption(),
  });
  for (const path of calls.flatMap(readPath)) progress.filesRead.add(path);
  conversation.say(results);
  await run.afterTools?.(calls);
}

async function judgeAnswer(
  run: AgentRun,
  conversation: Conversation,
  progress: Progress,
  lastText: string,
): Promise<AgentEnd | undefined> {
  const whole = progress.cutText + lastText;
  progress.continuations = 0;
  progress.cutText = '';
  if (whole.trim() === '') return { failure: failure('empty_output', 'The agent ended without an answer.') };
  const read = run.contract.read(whole);
  if ('reasons' in read) return repair(run, conversation, progress, read.reasons);
  if (run.steering.hasMessages()) {
    conversation.say([]);
    return undefined;
  }
  const verdict = (await run.judge?.(read.answer)) ?? { accept: true };
  if ('failure' in verdict) return verdict;
  if ('accept' in verdict) return { answer: read.answer, filesRead: progress.filesRead.size };
  conversation.say([text(verdict.tell)]);
  return undefined;
}

function repair(
  run: AgentRun,
  conversation: Conversation,
  progress: Progress,
  reasons: string[],
): AgentEnd | undefined {
  progress.repairs += 1;
  const list = reasons.map((reason) => `- ${reason}`).join('\n');
  if (progress.repairs > MAX_REPAIRS) {
    return {
      failure: failure(
        'invalid_output',
        `The agent's answer has the wrong shape, also after it was told so:\n${list}`,
      ),
    };
  }
  conversation.say([text(fillTemplate(run.prompts['repair-answer'], { reasons: list }))]);
  return undefined;
}

function readPath({ name, input, allowed, isError }: ToolCall): string[] {
  if (name !== 'read_file' || !allowed || isError || typeof input !== 'object' || input === null) return [];
  return 'path' in input && typeof input.path === 'string' ? [input.path] : [];
}

function textOf(answer: ModelAnswer): string {
  return answer.turn.blocks.flatMap((block) => (block.type === 'text' ? block.text : [])).join('\n');
}

function text(value: string): Block {
  return { type: 'text', text: value };
}
