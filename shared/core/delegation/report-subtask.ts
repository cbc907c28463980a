import { messageIdOf } from '../mail/message-id.ts';
import { cutForMail, postMessage } from '../mail/post-message.ts';
import type { Ports } from '../ports.ts';
import { refs } from '../refs.ts';
import type { Task } from '../task.ts';

/**
 * Tells the agent that delegated an ended subtask what came of it (001-05), while it is at work: it reads so at its next renewal.
 * Idempotent; does nothing for a task that nobody delegated.
 */
export async function reportSubtask(
  ports: Pick<Ports, 'store' | 'blobs' | 'clock'>,
  task: Task,
): Promise<void> {
  if (task.parent === undefined || task.live) return;
  const parent = (await ports.store.get(refs.task(task.tenant, task.run, task.parent)))?.data;
  if (parent?.live !== true) return;
  const isDone = task.state === 'succeeded';
  await postMessage(ports, task, {
    task: task.id,
    toTask: parent.id,
    correlationId: task.id,
    message: {
      message_id: messageIdOf(task.run, task.id, 'result'),
      from_agent: task.agent,
      to_agent: parent.agent,
      message_type: isDone ? 'result' : 'event',
      context: {
        project: task.run,
        phase: 'executing',
        deliverables: [
          { type: `subtask ${task.state}`, path: task.id, description: await whatCame(ports, task) },
        ],
      },
      next_tasks: [],
    },
  });
}

async function whatCame({ blobs }: Pick<Ports, 'blobs'>, task: Task): Promise<string> {
  const { result } = task;
  const summary = result?.summary ?? task.attempts.at(-1)?.exit?.message ?? task.state;
  const bytes = result?.outputKey === undefined ? undefined : await blobs.get(result.outputKey);
  return cutForMail(bytes === undefined ? summary : `${summary}\n\n${new TextDecoder().decode(bytes)}`);
}
