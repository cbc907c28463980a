import type { AttemptBrief } from '../../messages/attempt-api.ts';
import type { Ports } from '../ports.ts';
import { refs } from '../refs.ts';
import type { Task } from '../task.ts';

/** So that an attempt after the first delegates nothing a second time. */
export async function delegatedBy(
  ports: Pick<Ports, 'store'>,
  task: Task,
): Promise<Pick<AttemptBrief, 'subtasks'>> {
  const given = task.subtasks ?? [];
  if (given.length === 0) return {};
  const found = await ports.store.getMany(given.map((each) => refs.task(task.tenant, task.run, each.task)));
  const subtasks = found.flatMap((each) =>
    each === undefined
      ? []
      : [
          {
            task: each.data.id,
            agent: each.data.agent,
            title: each.data.title,
            state: each.data.state,
            summary: each.data.result?.summary ?? '',
          },
        ],
  );
  return { subtasks };
}
