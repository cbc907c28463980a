import type { RenewAnswer, SeenMarks } from '../messages/attempt-api.ts';
import { change } from './change.ts';
import { type Fence, heldAttempt, withAttempt } from './fence.ts';
import { readMail } from './mail/read-mail.ts';
import { staleAttempt } from './meter.ts';
import type { Ports } from './ports.ts';
import { refs } from './refs.ts';
import { isTerminal, type Run } from './run.ts';
import { steeringAfter } from './steer-run.ts';
import type { Task } from './task.ts';

type RenewPorts = Pick<Ports, 'store' | 'clock' | 'policy'>;

/**
 * Extends the lease, and tells the worker what its run wants of it and what was said to it. Independent of what the model does.
 * `seen`: what the worker has of that, so that an answer that was lost is given again and none twice. Without it the record says
 * what was handed over; an answer that is lost then is not given again, for it is better unsaid than said twice.
 * @throws PenstockError `stale` where the attempt is not held any more.
 */
export async function renewAttempt(ports: RenewPorts, fence: Fence, seen?: SeenMarks): Promise<RenewAnswer> {
  const { tenant, run: runId, task: taskId } = fence;
  const now = ports.clock.now();
  const run = (await ports.store.get(refs.run(tenant, runId)))?.data;
  let handed: SeenMarks = { messages: 0, mail: 0 };
  const { data: task, changed } = await change(
    ports.store,
    refs.task(tenant, runId, taskId),
    (current: Task) => {
      const attempt = heldAttempt(current, fence);
      if (attempt === undefined) return undefined;
      handed = { messages: attempt.steeredTo ?? 0, mail: attempt.mailedTo ?? 0 };
      const attempts = withAttempt(current, { ...attempt, ...marksOfRecord(run) });
      return { data: { ...current, attempts, leaseUntil: now + ports.policy.leaseMs, updatedAt: now } };
    },
  );
  if (!changed) throw staleAttempt(fence);
  if (run === undefined || run.stage === 'cancelling' || isTerminal(run.stage))
    return { answer: 'stop', messages: [] };
  const hardLimitAt = task.attempts.at(-1)?.hardLimitAt ?? 0;
  const answer = now >= hardLimitAt - ports.policy.wrapUpMs ? 'wrap-up' : 'continue';
  return { answer, ...(await saidSince(ports, { run, task, after: seen ?? handed })) };
}

/** All that was said to a run so far. */
export function seenOf(run: Run): SeenMarks {
  return { messages: run.steering.at(-1)?.seq ?? 0, mail: run.mail };
}

/** Where nothing was ever said the record stays as it is. */
function marksOfRecord(run: Run | undefined): { steeredTo?: number; mailedTo?: number } {
  if (run === undefined) return {};
  const { messages, mail } = seenOf(run);
  return { ...(messages === 0 ? {} : { steeredTo: messages }), ...(mail === 0 ? {} : { mailedTo: mail }) };
}

/** The run's own count says whether there is any mail to read. */
async function saidSince(
  ports: Pick<Ports, 'store'>,
  { run, task, after }: { run: Run; task: Task; after: SeenMarks },
): Promise<Omit<RenewAnswer, 'answer'>> {
  const seen = seenOf(run);
  if (seen.messages <= after.messages && seen.mail <= after.mail) return { messages: [] };
  const mail = seen.mail > after.mail ? await readMail(ports, task, after.mail) : [];
  return { messages: steeringAfter(run, after.messages), ...(mail.length === 0 ? {} : { mail }), seen };
}
