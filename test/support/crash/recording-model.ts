import type { WireAnswer, WireRequest } from '../../../shared/adapters/script/messages-protocol.ts';
import { type MessagesServer, startMessagesServer } from '../../../shared/adapters/script/messages-server.ts';
import { simulateInputTokens, simulateUsage } from '../../../shared/adapters/script/simulated-usage.ts';
import { modelById } from '../../../shared/core/models/model-table.ts';
import { priceOf, reservationFor } from '../../../shared/core/models/price.ts';
import type { ArchitectAnswer } from '../../../shared/messages/plan.ts';
import { answerByRule } from '../rule-model.ts';

/** A call that the model answered, and what a provider would bill for it. */
export interface ServedCall {
  task: string;
  microUsd: number;
  /** The most that it may be charged where its answer was lost. */
  reservationMicroUsd: number;
}

/** What the provider knows of a run. */
export interface Bill {
  served: ServedCall[];
  /** What it serves where nothing breaks. */
  expected: ServedCall[];
}

export interface RecordingModel extends MessagesServer {
  served: ServedCall[];
}

/** The rule model with a bill of its own, and a plan of two tasks: one waits for the other. */
export async function startRecordingModel(): Promise<RecordingModel> {
  const served: ServedCall[] = [];
  const server = await startMessagesServer({
    answer: (request) => {
      const answer = answerWithTwoTasks(request);
      if ('error' in answer) return answer;
      const usage = simulateUsage(request, answer.blocks);
      const model = modelById(request.model);
      served.push({
        task: taskOf(request),
        microUsd: priceOf(usage, model),
        reservationMicroUsd: reservationFor(simulateInputTokens(request), request.maxOutputTokens, model),
      });
      return { ...answer, usage };
    },
  });
  return { ...server, served };
}

/** As every prompt names it. */
function taskOf({ turns }: WireRequest): string {
  const texts = turns.flatMap(({ blocks }) =>
    blocks.map((block) => (block.type === 'text' ? block.text : '')),
  );
  return texts.map((text) => /^Task: (\S+)/m.exec(text)?.[1]).find((task) => task !== undefined) ?? '';
}

function answerWithTwoTasks(request: WireRequest): WireAnswer {
  const answer = answerByRule(request);
  const asked = Object.keys(request.outputSchema?.['properties'] ?? {});
  const [block] = 'error' in answer ? [] : answer.blocks;
  if (!asked.includes('tasks') || 'error' in answer || block?.type !== 'text') return answer;
  const plan = JSON.parse(block.text) as ArchitectAnswer;
  const design = {
    id: 'design',
    agent: 'project_architect',
    title: 'Say what is to be done',
    instructions: 'Name the file that is to be repaired.',
    dependencies: [],
    acceptance: ['A file is named.'],
    scope: [],
  };
  const tasks = [design, ...plan.tasks.map((task) => ({ ...task, dependencies: ['design'] }))];
  return { ...answer, blocks: [{ type: 'text', text: JSON.stringify({ ...plan, tasks }) }] };
}
