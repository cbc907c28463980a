import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { askStage } from '../../../../shared/core/drivers/ask-stage.ts';
import { claimRun } from '../../../../shared/core/drivers/claim-run.ts';
import { givePlan } from '../../../../shared/core/drivers/give-plan.ts';
import { retryRun } from '../../../../shared/core/retry-run.ts';
import { planProposal } from '../../../../shared/messages/plan.ts';
import { startEngine, TENANT, type Engine } from '../../../support/engine.ts';
import { createHandWorkflows } from '../../../support/hand-workflows.ts';

const planOf = (...agents: string[]) =>
  planProposal.parse({
    tasks: agents.map((agent, n) => ({
      id: `t${n}`,
      agent,
      instructions: 'Do it.',
      dependencies: n === 0 ? [] : [`t${n - 1}`],
    })),
  });

describe('a plan that a workflow gives', () => {
  let engine: Engine;
  let run: string;
  beforeEach(async () => {
    engine = await startEngine({ workflows: createHandWorkflows(), policy: { drivers: ['sequential'] } });
    ({ id: run } = await engine.submit({ driver: 'sequential' }));
    await engine.drain();
  });
  afterEach(() => engine.close());

  const claim = () => ({ tenant: TENANT, run, execution: 'e1' });
  const give = (...agents: string[]) => givePlan(engine.ports, claim(), planOf(...agents));
  const close = async () => {
    await askStage(engine.ports, { ...claim(), stage: 'close', sequence: 1, callback: 'cb1' });
    await engine.drain();
  };

  it('is executed as it is, and nobody is asked for another', async () => {
    await claimRun(engine.ports, claim());
    await give('technical_writer', 'technical_writer');
    const before = await engine.run(run);
    await give('technical_writer', 'technical_writer');
    expect(await engine.run(run)).toEqual(before);
    await close();
    expect(await engine.run(run)).toMatchObject({ stage: 'succeeded', plan: { tasks: 2 } });
    expect([...engine.worked.keys()]).toEqual(['t0', 't1']);
  });

  it('that cannot be executed ends the run with every reason', async () => {
    await claimRun(engine.ports, claim());
    expect(await give('technical_writer', 'nobody', 'no_one')).toMatchObject({
      stage: 'failed',
      reason: { code: 'invalid_plan', message: expect.stringMatching(/workflow sequential.*nobody.*no_one/) },
    });
  });

  it('is taken from the execution that drives the run only', async () => {
    await expect(give('technical_writer')).rejects.toMatchObject({ code: 'conflict' });
    expect((await engine.run(run)).givenPlan).toBeUndefined();
  });

  it('does not take the place of the one that the run came with', async () => {
    const submitted = planOf('technical_writer').tasks;
    ({ id: run } = await engine.submit({ driver: 'sequential', plan: submitted }));
    await engine.drain();
    await claimRun(engine.ports, claim());
    await give('technical_writer', 'technical_writer');
    await close();
    expect(await engine.run(run)).toMatchObject({ stage: 'succeeded', plan: { tasks: 1 } });
  });

  it('stays with a run that is tried again, and so do its flags', async () => {
    const flags = { needs_mobile: true };
    ({ id: run } = await engine.submit({ driver: 'sequential', flags }));
    await engine.drain();
    await claimRun(engine.ports, claim());
    await give('technical_writer');
    await close();
    const { run: again } = await retryRun(engine.ports, { tenant: TENANT, run, actor: 'dana' });
    expect(again).toMatchObject({ driver: 'sequential', flags, givenPlan: { hash: expect.any(String) } });
  });
});
