import type { JobRequest } from '../ports/job-starter.ts';
import type { WorkflowStarter } from '../ports/workflow-starter.ts';

/** Has a workflow start a job. It is told which attempt's; the ticket it asks for itself, for what it is told is kept. */
export function launchByWorkflow(
  workflows: Pick<WorkflowStarter, 'start'>,
  workflow: string,
): (job: JobRequest) => Promise<void> {
  return async ({ tenant, run, task, generation, tier }) => {
    await workflows.start({ workflow, argument: { tenant, run, task, generation, tier } });
  };
}
