import type { TicketView } from '../../messages/job.ts';
import { attemptPath, type JobId } from '../../ports/job-starter.ts';
import { PenstockError } from '../../ports/penstock-error.ts';
import { change } from '../change.ts';
import { formatTicket } from '../claim-task.ts';
import { hashSecret, withAttempt } from '../fence.ts';
import type { Ports } from '../ports.ts';
import { refs } from '../refs.ts';
import { currentAttempt, type Task, type TaskAttempt } from '../task.ts';
import { traceOf } from '../trace-of.ts';

/** The attempt of a job, and an execution of a workflow that says it starts the job. */
export interface JobClaim extends JobId {
  execution: string;
}

/** After its hard limit a job is killed by whoever started it; so much later nobody mistakes its own wrap-up for a hang. */
const OVERTIME_MS = 5 * 60_000;

/**
 * The one-time ticket of an attempt that waits for its job. The first execution that asks has the attempt from then on. Asked again
 * by the same one, because an answer was lost, it gives another ticket, and the one before opens nothing any more.
 * @throws PenstockError `conflict` where another execution has the attempt, or it waits for no job; `not_found`.
 */
export async function giveTicket(
  ports: Pick<Ports, 'store' | 'clock' | 'ids' | 'policy' | 'trace'>,
  { execution, ...job }: JobClaim,
): Promise<TicketView> {
  const ticket = formatTicket(job, ports.ids.secret());
  const now = ports.clock.now();
  const { data: task } = await change(ports.store, refs.task(job.tenant, job.run, job.task), (current) => {
    const attempt = awaitedBy(current, { execution, ...job });
    const given = { ...attempt, execution, ticketHash: hashSecret(ticket) };
    // Whoever doubted that anything was started has cut its time.
    const leaseUntil = Math.max(current.leaseUntil, now + ports.policy.startByJobMs);
    return { data: { ...current, attempts: withAttempt(current, given), leaseUntil, updatedAt: now } };
  });
  const limitMs = (currentAttempt(task)?.hardLimitAt ?? now) - now + OVERTIME_MS;
  return {
    attempt: attemptPath(job),
    ticket,
    traceparent: traceOf(ports, task) ?? '',
    timeout_seconds: Math.ceil(Math.max(limitMs, OVERTIME_MS) / 1_000),
  };
}

function awaitedBy(task: Task, { execution, generation }: JobClaim): TaskAttempt {
  const attempt = currentAttempt(task);
  if (task.state !== 'starting' || attempt?.generation !== generation)
    throw refused(task, generation, 'it waits for no job');
  if (attempt.execution !== undefined && attempt.execution !== execution)
    throw refused(task, generation, `execution ${attempt.execution} starts its job`);
  return attempt;
}

function refused({ id, run }: Task, generation: number, why: string): PenstockError {
  return new PenstockError(
    'conflict',
    `attempt ${id}/${generation} of run ${run} gets no ticket: ${why}; end this execution`,
  );
}
