import type { Agent } from '../../messages/agent-file.ts';
import { fence } from './fence.ts';
import { fillTemplate } from './fill-template.ts';
import { taskBlocks, type TaskFacts } from './task-blocks.ts';

/** The files of `shared/prompts`: text that agents share. */
export const promptNames = [
  'system',
  'workspace',
  'reading',
  'task',
  'wrap-up',
  'last-turns',
  'message',
  'mail',
  'subtasks',
  'continued',
  'continue-cut-answer',
  'repair-answer',
  'checks-red',
] as const;
export type PromptName = (typeof promptNames)[number];
export type Prompts = Record<PromptName, string>;

export interface PromptFacts extends TaskFacts {
  agent: Agent;
  prompts: Prompts;
}

/**
 * What an attempt's conversation begins with. `system` depends on the agent's file and the shared prompts only, so it is the same bytes in every
 * turn and in every attempt of that agent; what differs stands in the first user turn.
 */
export function renderPrompt(facts: PromptFacts): { system: string; user: string } {
  return { system: renderSystem(facts.agent, facts.prompts), user: renderTask(facts) };
}

function renderSystem(agent: Agent, prompts: Prompts): string {
  const { sections } = agent;
  return fillTemplate(prompts.system, {
    name: agent.name,
    description: agent.description,
    context: sections.Context,
    instructions: sections['System instructions'],
    surroundings: agent.lane === 'job' ? prompts.workspace : prompts.reading,
    output: sections.Output,
    handoff: sections.Handoff,
  });
}

function renderTask(facts: PromptFacts): string {
  const { brief, agent, prompts } = facts;
  const failure = brief.previousFailure;
  return fillTemplate(prompts.task, {
    task: brief.task,
    kind: brief.kind,
    title: brief.title.replaceAll(/\s+/g, ' '),
    body: fillTemplate(agent.sections['Task template'], taskBlocks(facts)),
    previous_failure:
      failure === undefined
        ? ''
        : `## Why the attempt before you failed\n\n${fence('previous-failure', failure)}\n\nDo not fail the same way.`,
  });
}
