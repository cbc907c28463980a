import type { RunEvent, RunView, TaskView } from '../../../shared/messages/run-view.ts';

/** What happened to a run so far, from the histories in its views: for a data folder whose platform no longer runs. */
export function pastEvents(run: RunView, tasks: TaskView[]): RunEvent[] {
  const entries = [
    ...run.history.map((entry) => ({ ...entry, task: undefined })),
    ...tasks.flatMap((task) => task.history.map((entry) => ({ ...entry, task: task.id }))),
  ];
  const ordered = entries.toSorted((a, b) => a.at.localeCompare(b.at) || rank(a) - rank(b) || a.seq - b.seq);
  return ordered.map(({ at, state, by, note, task }, seq) => ({
    v: 1,
    seq,
    type: 'status_update',
    at,
    run: run.id,
    ...(task === undefined ? {} : { task }),
    state,
    by,
    ...(note === undefined ? {} : { note }),
  }));
}

/** Within one millisecond a task ends before its run goes on. */
function rank({ task }: { task: string | undefined }): number {
  return task === undefined ? 1 : 0;
}
