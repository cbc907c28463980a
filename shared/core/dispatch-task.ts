import { type Ports, publish } from './ports.ts';
import type { Task } from './task.ts';

/** Dispatch writes nothing: it names the next generation, and whoever executes it claims. */
export async function dispatchTask(ports: Pick<Ports, 'queue' | 'trace'>, task: Task): Promise<void> {
  const { tenant, run, id, kind } = task;
  if (kind === 'plan') return publish(ports, 'run-accepted', { v: 1, tenant, run }, task);
  const generation = task.attempts.length + 1;
  return publish(ports, 'task-dispatched', { v: 1, tenant, run, task: id, generation }, task);
}
