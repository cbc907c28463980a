import type { JobEnd, JobView } from '../../messages/job.ts';
import type { AttemptFailure } from '../../messages/attempt-api.ts';
import { returnJob } from '../claim-task.ts';
import type { Ports } from '../ports.ts';
import { refs } from '../refs.ts';
import { takeBack } from '../take-back.ts';
import { currentAttempt, type Task } from '../task.ts';
import type { JobClaim } from './give-ticket.ts';
import { jobViewOf, readJob } from './job-view.ts';

/**
 * What its workflow says became of a job whose attempt has not ended: it ends now instead of with its lease. Nothing is believed of
 * an attempt that has ended, or that another execution has: it stays as it is. Idempotent.
 */
export async function reportJobEnd(
  ports: Ports,
  job: JobClaim,
  { end, message }: Pick<JobEnd, 'end' | 'message'>,
): Promise<JobView> {
  const { tenant, run, task, generation } = job;
  const found = await ports.store.get(refs.task(tenant, run, task));
  if (found === undefined || !isOurs(found.data, job)) return jobViewOf(job, found?.data);
  if (end === 'no_capacity') {
    await returnJob(ports, { v: 1, tenant, run, task, generation });
    return readJob(ports, job);
  }
  const failure = failureOf(job, end, message);
  await takeBack(ports, found.data, (current) => (isOurs(current, job) ? failure : undefined));
  return readJob(ports, job);
}

function isOurs(task: Task, { generation, execution }: JobClaim): boolean {
  const attempt = currentAttempt(task);
  return attempt?.generation === generation && attempt.execution === execution && attempt.exit === undefined;
}

/** Nothing that the job may still say counts once its attempt is lost. */
const WHY: Record<Exclude<JobEnd['end'], 'no_capacity'>, string> = {
  done: 'its job ended without a report',
  failed: 'its job failed without a report',
  timed_out: 'its job did not end in its time',
  refused: 'its job was not started',
  unknown: 'nobody knows whether its job started, and it has not claimed its attempt',
};
function failureOf(
  { task, generation }: JobClaim,
  end: Exclude<JobEnd['end'], 'no_capacity'>,
  message: string,
): AttemptFailure {
  const said = message === '' ? '' : `: ${message}`;
  const code = end === 'refused' ? 'internal' : 'lost';
  return { code, message: `attempt ${task}/${generation}: ${WHY[end]}${said}` };
}
