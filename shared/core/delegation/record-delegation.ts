import { messageIdOf } from '../mail/message-id.ts';
import { cutForMail, postMessage } from '../mail/post-message.ts';
import type { Ports } from '../ports.ts';
import type { Task } from '../task.ts';

/** The delegation as a message, for whoever reads what the agents of a run say to each other (001-04). Once per subtask. */
export async function recordDelegation(
  ports: Pick<Ports, 'store' | 'clock'>,
  parent: Task,
  child: Task,
): Promise<void> {
  await postMessage(ports, child, {
    task: parent.id,
    toTask: child.id,
    correlationId: child.id,
    message: {
      message_id: messageIdOf(child.run, child.id, 'subtask'),
      from_agent: parent.agent,
      to_agent: child.agent,
      message_type: 'subtask',
      context: {
        project: child.run,
        phase: 'executing',
        deliverables: [{ type: 'task', path: child.id, description: child.title }],
      },
      next_tasks: [cutForMail(child.instructions).slice(0, MAX_STEP_CHARS)],
    },
  });
}

const MAX_STEP_CHARS = 2_000;
