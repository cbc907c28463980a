import type { RunEvent, RunView, TaskView } from '../../../shared/messages/run-view.ts';
import type { ApiClient } from './api-client.ts';
import { runAnswers } from './run-answers.ts';

const ENDED = new Set(['succeeded', 'failed', 'cancelled', 'skipped']);

/** Watches a run's events for the moment from which nothing happens any more until a person decides. */
export interface PersonWatch {
  /** Whether it waits after this event. Asks the API only while some task is blocked. */
  waitsAfter(event: RunEvent): Promise<boolean>;
}

export function watchForPerson(client: ApiClient, runId: string): PersonWatch {
  const told = new Map<string, number>();
  /** `''` is the run as a whole. */
  const blocked = new Set<string>();
  return {
    async waitsAfter({ task = '', state, type }) {
      told.set(task, (told.get(task) ?? 0) + 1);
      if (type === 'decision_needed') blocked.add(task);
      else if (state !== 'blocked') blocked.delete(task);
      if (blocked.size === 0) return false;
      const [run, tasks] = await Promise.all([
        runAnswers.run(client, runId),
        runAnswers.tasks(client, runId),
      ]);
      return isIdle(run.view, tasks.view) && isAllTold(run.view, tasks.view, told);
    },
  };
}

/** Something is asked, and everything that has not ended waits for the answer. */
function isIdle({ decisions = [] }: RunView, tasks: readonly TaskView[]): boolean {
  const live = new Set(tasks.filter(({ state }) => !ENDED.has(state)).map(({ id }) => id));
  const waits = ({ state, dependencies }: TaskView) =>
    state === 'blocked' || (state === 'pending' && dependencies.some((id) => live.has(id)));
  return decisions.length > 0 && tasks.filter(({ id }) => live.has(id)).every(waits);
}

/** An event for each entry of each history has come: what was read is not ahead of what was told. */
function isAllTold(run: RunView, tasks: readonly TaskView[], told: ReadonlyMap<string, number>): boolean {
  return [{ id: '', history: run.history }, ...tasks].every(
    ({ id, history }) => (told.get(id) ?? 0) >= history.length,
  );
}
