import { fence } from '../agents/fence.ts';
import { fillTemplate } from '../agents/fill-template.ts';
import type { Prompts } from '../agents/render-prompt.ts';
import type { AttemptBrief } from '../../messages/attempt-api.ts';
import type { Turn } from '../../ports/model.ts';
import type { Incoming } from './steering.ts';

/** Something said from outside, as the model reads it: a person's words are its task, another agent's are data. */
export function sayIncoming(incoming: Incoming, prompts: Prompts): string {
  if (incoming.from === 'person') return fillTemplate(prompts.message, { message: incoming.words.text });
  const { from_agent: from, message_type: type, context, next_tasks: next } = incoming.message;
  const lines = [
    `project: ${context.project}, phase: ${context.phase}`,
    ...context.deliverables.map(({ type: kind, path, description }) => `- ${kind} ${path}: ${description}`),
    ...next.map((step) => `- next: ${step}`),
  ];
  return fillTemplate(prompts.mail, { from, type, message: fence('message', lines.join('\n')) });
}

/** What an attempt is told at its beginning beside its task. `turns`: what it goes on from, in which some of it was said already. */
export function newsOf(
  brief: Pick<AttemptBrief, 'subtasks' | 'messages' | 'mail'>,
  turns: Turn[],
  prompts: Prompts,
): string[] {
  const told = new Set(
    turns.flatMap(({ role, blocks }) =>
      role === 'user' ? blocks.flatMap((block) => (block.type === 'text' ? [block.text] : [])) : [],
    ),
  );
  const news = [
    ...subtaskNews(brief.subtasks ?? [], prompts),
    ...(brief.messages ?? []).map((words) => sayIncoming({ from: 'person', words }, prompts)),
    ...(brief.mail ?? []).map((message) => sayIncoming({ from: 'agent', message }, prompts)),
  ];
  return news.filter((text) => !told.has(text));
}

function subtaskNews(subtasks: NonNullable<AttemptBrief['subtasks']>, prompts: Prompts): string[] {
  if (subtasks.length === 0) return [];
  const lines = subtasks.map(
    ({ task, agent, title, state, summary }) =>
      `- \`${task}\` by ${agent}, ${state}: ${title}${summary === '' ? '' : `\n${fence('result', summary)}`}`,
  );
  return [fillTemplate(prompts.subtasks, { subtasks: lines.join('\n') })];
}
