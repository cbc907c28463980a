import { inDependencyOrder } from '../../../shared/core/run-tasks.ts';
import type { Task } from '../../../shared/core/task.ts';

/** Tasks as a reader follows the run: planning, the plan by dependency, then the rounds of integration and review by time. */
export function readingOrder(tasks: readonly Task[]): Task[] {
  const plan = tasks.filter(({ kind }) => kind === 'plan');
  const work = inDependencyOrder(tasks.filter(({ kind }) => kind === 'work'));
  const rounds = tasks.filter(({ kind }) => kind !== 'plan' && kind !== 'work');
  return [...plan, ...work, ...rounds.toSorted((a, b) => a.createdAt - b.createdAt)];
}
