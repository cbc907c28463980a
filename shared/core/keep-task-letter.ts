import type { Store } from '../ports/store.ts';
import type { TaskLetter } from './dead-letter.ts';
import type { Ports } from './ports.ts';
import { refs } from './refs.ts';
import { redact } from './repository/scan-secrets.ts';
import { currentAttempt, type Task } from './task.ts';

const MAX_ERROR_CHARS = 4_000;

/**
 * Keeps a task that failed for good, so that a person can try it again (000-10, 000-14); the same end again is the same record.
 * A task that did not fail, and an integration whose conflict or red check goes back to the owner of the change set, leave none.
 */
export async function keepTaskLetter(ports: Pick<Ports, 'store' | 'clock'>, task: Task): Promise<void> {
  const attempt = currentAttempt(task);
  if (task.state !== 'failed' || attempt === undefined) return;
  const { code, class: errorClass, signature, message } = attempt.exit ?? {};
  if (task.kind === 'integrate' && (code === 'conflict' || code === 'checks_red')) return;
  const asked = await plannedTask(ports.store, task);
  const letter: TaskLetter = {
    v: 1,
    kind: 'task',
    state: 'open',
    run: task.run,
    task: task.id,
    generation: attempt.generation,
    ...(asked.kind === 'work' ? { forkFrom: asked.id } : {}),
    agent: attempt.agent,
    attempts: task.attempts.length,
    ...(code === undefined ? {} : { code }),
    ...(errorClass === undefined ? {} : { class: errorClass }),
    ...(signature === undefined ? {} : { signature }),
    error: redact(message ?? 'the task failed and said nothing about it')
      .slice(0, MAX_ERROR_CHARS)
      .toWellFormed(),
    at: ports.clock.now(),
    replays: [],
  };
  await ports.store.create(refs.deadLetter(task.tenant, taskLetterId(task, attempt.generation)), letter);
}

/** What a subtask was delegated for, directly or not: only that stands in the plan. */
async function plannedTask(store: Store, task: Task): Promise<Task> {
  let asked = task;
  for (let depth = task.depth; depth > 0 && asked.parent !== undefined; depth -= 1) {
    asked = (await store.get(refs.task(task.tenant, task.run, asked.parent)))?.data ?? asked;
  }
  return asked;
}

function taskLetterId({ run, id }: Task, generation: number): string {
  return `${run}-${id}-${generation}`;
}
