import { describe, expect, it } from '@jest/globals';
import { launchByWorkflow } from '../../../shared/runtime/launch-by-workflow.ts';
import { aJob } from '../../contract/job-starter-contract.ts';
import { createHandWorkflows } from '../../support/hand-workflows.ts';

describe('a job that a workflow starts', () => {
  it('is named in what the execution is told, and its ticket is not', async () => {
    const hand = createHandWorkflows();
    const told: unknown[] = [];
    const workflows = {
      start: (request: Parameters<typeof hand.start>[0]) => {
        told.push(request);
        return hand.start(request);
      },
    };
    await launchByWorkflow(workflows, 'agent-job')(aJob({ tier: 'high' }));
    const attempt = { tenant: 'local', run: 'r1234567', task: 'build', generation: 1 };
    expect(told).toEqual([{ workflow: 'agent-job', argument: { ...attempt, tier: 'high' } }]);
  });
});
