import { MAX_SUMMARY_CHARS } from '../../messages/attempt-api.ts';
import type { AgentMessage } from '../../messages/agent-message.ts';
import { PenstockError } from '../../ports/penstock-error.ts';
import type { Versioned } from '../../ports/store.ts';
import { change } from '../change.ts';
import type { Fence } from '../fence.ts';
import { withdrawn } from '../ended-attempt.ts';
import { fitEnd } from '../fit-end.ts';
import { appendHistory } from '../history.ts';
import type { Ports } from '../ports.ts';
import { refs } from '../refs.ts';
import { announceEnd } from '../release-dependants.ts';
import type { Task } from '../task.ts';

/** @throws PenstockError `forbidden` for what is no subtask of the fence's run. */
export async function findSubtask(
  { store }: Pick<Ports, 'store'>,
  { tenant, run }: Fence,
  id: string,
): Promise<Versioned<Task>> {
  const found = await store.get(refs.task(tenant, run, id));
  if (found?.data.parent !== undefined) return found;
  throw new PenstockError('forbidden', `${id} is no subtask of run ${run}; correlation_id names one`);
}

/**
 * Ends a subtask with what a `complete` message says of it, whoever of the run sends it (001-06): an attempt of its own that is
 * under way is charged and loses its fence. `without effect`: it had ended before.
 */
export async function completeSubtask(
  ports: Pick<Ports, 'store' | 'queue' | 'clock' | 'trace'>,
  fence: Fence,
  { subtask, message }: { subtask: Versioned<Task>; message: AgentMessage },
): Promise<'completed' | 'without effect'> {
  const at = ports.clock.now();
  const by = `${fence.task}/${fence.generation}`;
  const { data: task, changed } = await change(
    ports.store,
    subtask.ref,
    (current) => (current.live ? { data: completed(current, { at, by, message }) } : undefined),
    subtask,
  );
  const isOurs = task.history.at(-1)?.by === by && task.state === 'succeeded';
  if (!changed && !isOurs) return 'without effect';
  const generation = Math.max(1, task.attempts.length);
  await announceEnd(ports, task, generation);
  return 'completed';
}

function completed(task: Task, { at, by, message }: { at: number; by: string; message: AgentMessage }): Task {
  const note = `completed by ${message.from_agent}`;
  const closed = withdrawn(task, { at, by, note });
  // Without its claim an attempt that comes to its end is told that it was too late.
  const attempts = closed.attempts.map(({ claimHash, ...rest }, index) =>
    index < task.attempts.length - 1 || task.attempts[index]?.exit !== undefined
      ? { ...rest, ...(claimHash === undefined ? {} : { claimHash }) }
      : rest,
  );
  return fitEnd({
    ...closed,
    attempts,
    state: 'succeeded',
    settled: true,
    result: { summary: summaryOf(message), checks: [], filesRead: 0 },
    history: appendHistory(task.history, { at, state: 'succeeded', by, note }),
  });
}

function summaryOf({ from_agent: from, context, next_tasks: next }: AgentMessage): string {
  const lines = [
    ...context.deliverables.map(
      ({ type, path, description }) => `- ${type} ${path}${description === '' ? '' : `: ${description}`}`,
    ),
    ...next.map((step) => `- next: ${step}`),
  ];
  return `Completed by ${from}.\n${lines.join('\n')}`.trim().slice(0, MAX_SUMMARY_CHARS);
}
