import type { Ports } from './ports.ts';
import type { Task } from './task.ts';

/** The text that a task has yielded; empty where it has none. */
export async function readOutput(ports: Pick<Ports, 'blobs'>, task: Task): Promise<string> {
  const key = task.result?.outputKey;
  const bytes = key === undefined ? undefined : await ports.blobs.get(key);
  return bytes === undefined ? '' : new TextDecoder().decode(bytes);
}
