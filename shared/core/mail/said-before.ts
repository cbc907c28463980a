import type { AttemptBrief } from '../../messages/attempt-api.ts';
import type { Ports } from '../ports.ts';
import { seenOf } from '../renew-attempt.ts';
import type { Run } from '../run.ts';
import { steeringAfter } from '../steer-run.ts';
import type { Task } from '../task.ts';
import { readMail } from './read-mail.ts';

/** What was said before this attempt; what is said from here on comes with its renewals. */
export async function saidBefore(
  ports: Pick<Ports, 'store'>,
  run: Run,
  task: Task,
): Promise<Pick<AttemptBrief, 'messages' | 'mail' | 'seen'>> {
  const messages = steeringAfter(run, 0);
  const mail = run.mail === 0 ? [] : await readMail(ports, task, 0);
  return {
    ...(messages.length === 0 ? {} : { messages }),
    ...(mail.length === 0 ? {} : { mail }),
    ...(messages.length === 0 && run.mail === 0 ? {} : { seen: seenOf(run) }),
  };
}
