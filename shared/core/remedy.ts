import type { Agent } from '../messages/agent-file.ts';
import type { AttemptFailure } from '../messages/attempt-api.ts';
import type { Tier } from './models/model-table.ts';
import type { Remedy, Task, TaskAttempt } from './task.ts';

type Attempts = Pick<Task, 'attempts'>;
type Skills = Pick<Agent, 'tier' | 'resources' | 'tools'>;

/**
 * What the next attempt should do otherwise after this failure of the newest one, where anything may help (002-76, 003-80). Each
 * remedy is tried once in a task, another model as often as a model is not there.
 */
export function remedyFor(
  task: Pick<Task, 'attempts' | 'kind'>,
  { code }: AttemptFailure,
  agent: Skills | undefined,
): Remedy | undefined {
  const isNew = (remedy: Remedy) => !isTried(task, remedy);
  const askedModel = task.attempts.at(-1)?.model;
  switch (code) {
    case 'model_unavailable':
      return askedModel === undefined ? undefined : 'fallback_model';
    case 'model_refused':
      return askedModel !== undefined && isNew('fallback_model') ? 'fallback_model' : undefined;
    case 'out_of_memory':
      return isNew('larger_machine') && tierOf(task, agent) !== 'high' ? 'larger_machine' : undefined;
    case 'model_garbage':
      return isNew('larger_model') && mayGrow(agent) ? 'larger_model' : undefined;
    case 'turn_limit':
      if (isNew('larger_model') && mayGrow(agent)) return 'larger_model';
      return isNew('split') && task.kind === 'work' && mayDelegate(agent) ? 'split' : undefined;
    default:
      return undefined;
  }
}

/** The machine of a task's next attempt, or of its newest. */
export function tierOf(
  task: Attempts,
  agent: Pick<Agent, 'resources'> | undefined,
): Agent['resources']['tier'] {
  return isTried(task, 'larger_machine') ? 'high' : (agent?.resources.tier ?? 'standard');
}

/** The tier of its model. */
export function modelTierOf(task: Attempts, agent: Pick<Agent, 'tier'>): Tier {
  return isTried(task, 'larger_model') ? LARGER[agent.tier] : agent.tier;
}

/** Whether it is told to hand over what is too much for one attempt. */
export function isToSplit(task: Attempts): boolean {
  return isTried(task, 'split');
}

/** Models that failed this task by not answering or by refusing. */
export function modelsPassedOver(task: Attempts): string[] {
  return task.attempts.flatMap(({ exit, model }) =>
    model !== undefined && exit?.remedy === 'fallback_model' ? [model] : [],
  );
}

const LARGER: Record<Tier, Tier> = { fast: 'balanced', balanced: 'deep', deep: 'deep' };

function mayGrow(agent: Pick<Agent, 'tier'> | undefined): boolean {
  return agent !== undefined && LARGER[agent.tier] !== agent.tier;
}

function mayDelegate(agent: Skills | undefined): boolean {
  return agent?.tools.includes('delegate_subtask') === true;
}

function isTried({ attempts }: Attempts, remedy: NonNullable<TaskAttempt['exit']>['remedy']): boolean {
  return attempts.some(({ exit }) => exit?.remedy === remedy);
}
