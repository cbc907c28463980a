import type { JobView } from '../../messages/job.ts';
import { attemptPath, type JobId } from '../../ports/job-starter.ts';
import type { Ports } from '../ports.ts';
import { refs } from '../refs.ts';
import type { Task } from '../task.ts';

/** Where the attempt of a job stands, as the workflow that started the job reads it. One that nobody knows has ended. */
export async function readJob(ports: Pick<Ports, 'store'>, job: JobId): Promise<JobView> {
  const found = await ports.store.get(refs.task(job.tenant, job.run, job.task));
  return jobViewOf(job, found?.data);
}

export function jobViewOf(job: JobId, task: Task | undefined): JobView {
  const attempt = task?.attempts.find(({ generation }) => generation === job.generation);
  const state = attempt === undefined ? 'gone' : (attempt.exit?.outcome ?? underWay(task));
  return { attempt: attemptPath(job), state, ended: state !== 'starting' && state !== 'running' };
}

function underWay(task: Task | undefined): JobView['state'] {
  return task?.state === 'starting' || task?.state === 'running' ? task.state : 'gone';
}
