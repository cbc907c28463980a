import type { AgentMessage } from '../../messages/agent-message.ts';
import { MAX_PAGE } from '../../ports/store.ts';
import { storedBytes } from '../intake/sanitise-text.ts';
import type { Ports } from '../ports.ts';
import { mailOf, type MailRecord } from '../refs.ts';
import type { Task } from '../task.ts';
import { MAX_MAIL } from './post-message.ts';

/** Of the messages to one agent, the newest that one answer brings: they become part of a prompt. */
const MAX_DELIVERED = 20;
const MAX_DELIVERED_BYTES = 48 * 1024;

/** What other tasks' agents said to this task's agent after number `after`, oldest first. A subtask itself says what its `subtask` message says. */
export async function readMail(
  { store }: Pick<Ports, 'store'>,
  task: Pick<Task, 'tenant' | 'run' | 'id' | 'agent'>,
  after: number,
): Promise<AgentMessage[]> {
  const page = await store.query<MailRecord>({
    from: { collection: mailOf(task.tenant, task.run) },
    where: [{ field: 'seq', op: '>', value: after }],
    orderBy: { field: 'seq' },
    limit: Math.min(MAX_MAIL, MAX_PAGE),
  });
  const mine = page.documents.filter(({ data }) => isFor(data, task));
  return newest(mine.map(({ data }) => data.message));
}

function newest(messages: AgentMessage[]): AgentMessage[] {
  let left = MAX_DELIVERED_BYTES;
  const isFull = (message: AgentMessage) => (left -= storedBytes(message)) < 0;
  const last = messages.slice(-MAX_DELIVERED);
  return last.slice(last.findLastIndex(isFull) + 1);
}

function isFor(record: MailRecord, task: Pick<Task, 'id' | 'agent'>): boolean {
  const { message_type: type, to_agent: to } = record.message;
  if (type === 'subtask' || record.task === task.id) return false;
  return record.toTask === undefined ? to === task.agent : record.toTask === task.id;
}
