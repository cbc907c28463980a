import { readBundle } from '../../shared/core/create-attempt.ts';
import type { Task } from '../../shared/core/task.ts';
import { renderDiff } from '../../shared/core/views/render-diff.ts';
import type { Blobs } from '../../shared/ports/blobs.ts';

/** The newest round of integration that has a change set. */
export function integratedTask(tasks: readonly Task[]): Task | undefined {
  return tasks
    .filter(({ kind, result }) => kind === 'integrate' && result?.changeSet !== undefined)
    .toSorted((a, b) => a.createdAt - b.createdAt)
    .at(-1);
}

/** The change set of a task as a unified diff, from what was stored: no host is asked. `undefined`: it has none, or it is gone. */
export async function readDiff(blobs: Blobs, task: Task, maxBytes: number): Promise<string | undefined> {
  const key = task.result?.changeSet?.key;
  const bytes = key === undefined ? undefined : await blobs.get(key);
  if (bytes === undefined) return undefined;
  const { changeSet, contents } = readBundle(bytes);
  return renderDiff(changeSet, contents, maxBytes);
}
