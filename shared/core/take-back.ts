import type { AttemptFailure } from '../messages/attempt-api.ts';
import type { JobId, JobState } from '../ports/job-starter.ts';
import { admitNext } from './admission.ts';
import { change } from './change.ts';
import { attemptEndFields } from './end-fields.ts';
import { failed } from './ended-attempt.ts';
import { followEnded, followFailed } from './follow-task.ts';
import type { Ports } from './ports.ts';
import { refs } from './refs.ts';
import { currentAttempt, isUnderWay, type Task } from './task.ts';
import { traceOf } from './trace-of.ts';
import { messageOf } from './work/attempt-failures.ts';

/** What an attempt that is under way has failed of without saying so itself; `undefined`: it has not. */
export type Judge = (task: Task) => AttemptFailure | undefined;

/** An attempt that nobody works on any more, by what its task shows. */
export function lostWhere(isDead: (task: Task) => boolean): Judge {
  return (task) => {
    if (!isDead(task)) return undefined;
    const where = task.state === 'starting' ? 'was never claimed' : 'stopped renewing its lease';
    return { code: 'lost', message: `attempt ${task.id}/${currentAttempt(task)?.generation} ${where}` };
  };
}

/** Whoever runs jobs. Where it once did not answer it is asked no more: many lost attempts would wait for it one after the other. */
export interface JobProvider {
  answers: boolean;
}

/** Ends the attempt that a task was found with, if it is judged to have failed still. Its task goes on with the next generation. */
export function takeBack(
  ports: Ports,
  found: Task,
  judge: Judge,
  provider: JobProvider = { answers: true },
): Promise<void> {
  const { tenant, run, id: task } = found;
  const start = { name: 'lost attempt', parent: traceOf(ports, found), fields: { tenant, run, task } };
  return ports.trace.span(start, () => takeBackHere(ports, found, judge, provider));
}

async function takeBackHere(ports: Ports, found: Task, judge: Judge, provider: JobProvider): Promise<void> {
  const now = ports.clock.now();
  const generation = currentAttempt(found)?.generation;
  const job = { tenant: found.tenant, run: found.run, task: found.id, generation: generation ?? 0 };
  const hasJob = found.lane === 'job' && generation !== undefined;
  const told = hasJob && judge(found)?.code === 'lost' ? await askForJob(ports, provider, job) : undefined;
  const { data: task, changed } = await change(
    ports.store,
    refs.task(found.tenant, found.run, found.id),
    (current) => {
      const attempt = currentAttempt(current);
      if (attempt === undefined || attempt.generation !== generation || !isUnderWay(current))
        return undefined;
      const failure = judge(current);
      if (failure === undefined) return undefined;
      return {
        data: failed(current, attempt, explained(failure, told), {
          now,
          fraction: ports.ids.fraction(),
          ports,
        }),
      };
    },
  );
  if (!changed) return;
  ports.log.warn(`attempt ${task.id}/${generation} is lost`, attemptEndFields(task));
  await admitNext(ports, task);
  await (task.live ? followFailed(ports, task) : followEnded(ports, task));
  if (hasJob && told?.state !== 'ended') await endJob(ports, provider, job);
}

function askForJob(ports: Ports, provider: JobProvider, job: JobId): Promise<JobState | undefined> {
  const failure = `nobody says what became of the job of lost attempt ${job.task}/${job.generation}`;
  return ask(ports, provider, { job, failure, call: () => ports.jobs.state(job) });
}

/** With how its job ended; memory that ran out has a remedy of its own. */
function explained(failure: AttemptFailure, job: JobState | undefined): AttemptFailure {
  if (failure.code !== 'lost' || job?.state !== 'ended') return failure;
  const { message } = failure;
  return {
    code: job.isOutOfMemory ? 'out_of_memory' : 'lost',
    message: message.includes(job.message) ? message : `${message}; its job ended: ${job.message}`,
  };
}

/** Nothing that it does counts any more: a job that hangs is not paid for until its time is over, and does not work beside the next one. */
function endJob(ports: Ports, provider: JobProvider, job: JobId): Promise<void> {
  const failure = `the job of lost attempt ${job.task}/${job.generation} could not be cancelled`;
  return ask(ports, provider, { job, failure, call: () => ports.jobs.cancel(job) });
}

/** The attempt is lost whatever is answered, and also where nothing is. */
async function ask<T>(
  { log }: Pick<Ports, 'log'>,
  provider: JobProvider,
  { job, failure, call }: { job: JobId; failure: string; call: () => Promise<T> },
): Promise<T | undefined> {
  if (!provider.answers) return undefined;
  try {
    return await call();
  } catch (error) {
    provider.answers = false;
    log.warn(`${failure}: ${messageOf(error)}`, job);
    return undefined;
  }
}
