import type { AttemptBrief } from '../messages/attempt-api.ts';
import type { Ports } from './ports.ts';
import { readOutput } from './read-output.ts';
import { inDependencyOrder } from './run-tasks.ts';
import type { Task } from './task.ts';

/** What a reviewer is told of the work comes beside a whole diff, so all of it together is bounded. */
const MAX_CRITERIA = 60;
const MAX_TASKS = 40;
const MAX_SUMMARY_CHARS = 1_000;
const MAX_OUTPUT_CHARS = 40_000;

/** By what a pull request is judged: the reviewer's own criteria, then those of every task that is in it. */
export function reviewCriteria(review: Task, tasks: Task[]): string[] {
  const own = workIn(tasks).flatMap(({ acceptance }) => acceptance);
  return [...new Set([...review.acceptance, ...own])].slice(0, MAX_CRITERIA);
}

/** What those who did the work say of it. */
export function reviewedWork(
  ports: Pick<Ports, 'blobs'>,
  tasks: Task[],
): Promise<AttemptBrief['dependencies']> {
  const work = workIn(tasks).slice(-MAX_TASKS);
  const share = Math.floor(MAX_OUTPUT_CHARS / Math.max(1, work.length));
  return Promise.all(
    work.map(async (task) => ({
      task: task.id,
      agent: task.agent,
      summary: (task.result?.summary ?? task.state).slice(0, MAX_SUMMARY_CHARS),
      output: (await readOutput(ports, task)).slice(0, share),
    })),
  );
}

function workIn(tasks: Task[]): Task[] {
  return inDependencyOrder(tasks).filter(
    ({ kind, state }) => (kind === 'work' || kind === 'fix') && state === 'succeeded',
  );
}
