import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { askStage } from '../../../../shared/core/drivers/ask-stage.ts';
import { integrateRun } from '../../../../shared/core/integration/integrate-run.ts';
import { refs } from '../../../../shared/core/refs.ts';
import type { Run } from '../../../../shared/core/run.ts';
import { settleRun } from '../../../../shared/core/settle-run.ts';
import type { Task, TaskResult } from '../../../../shared/core/task.ts';
import type { AskedStage } from '../../../../shared/messages/stages.ts';
import { startEngine, TENANT, type Engine } from '../../../support/engine.ts';
import { createHandWorkflows, type HandWorkflows } from '../../../support/hand-workflows.ts';
import { runOf, taskOf } from '../../../support/records.ts';

const asked = (stage: AskedStage): Partial<Run> => ({
  driver: 'requirement',
  execution: { id: 'e1', startedAt: 1, starts: 1, claimedAt: 1 },
  stageRequest: { stage, seq: 3, execution: 'e1', callback: 'cb3', state: 'asked' },
});
const result: TaskResult = { summary: 'done', checks: [], filesRead: 0 };
const work = taskOf({
  state: 'succeeded',
  result: { ...result, changeSet: { key: 'k', sha256: 'a', files: 1, added: 1, deleted: 0 } },
});
const integrate = taskOf({ id: 'integrate-1', kind: 'integrate', state: 'succeeded' });
const review = taskOf({
  id: 'review',
  kind: 'review',
  state: 'succeeded',
  result: { ...result, review: { verdict: 'approve', summary: 'Good.', remarks: [] } },
});

describe('the last stages of a run that a workflow drives', () => {
  let engine: Engine;
  let hand: HandWorkflows;
  beforeEach(async () => {
    hand = createHandWorkflows();
    engine = await startEngine({ workflows: hand });
  });
  afterEach(() => engine.close());

  const store = async (run: Run, tasks: Task[]): Promise<void> => {
    await engine.ports.store.create(refs.run(TENANT, run.id), run);
    for (const task of tasks) await engine.ports.store.create(refs.task(TENANT, run.id, task.id), task);
  };
  const woken = () => hand.wakes.map(({ stage, sequence }) => `${stage} ${sequence}`);
  const ask = (stage: AskedStage) =>
    askStage(engine.ports, {
      tenant: TENANT,
      run: 'run1',
      execution: 'e1',
      stage,
      sequence: 4,
      callback: 'cb4',
    });

  it('wait after its tasks until integration is asked for', async () => {
    await store(runOf({ ...asked('execute') }), [work]);
    await settleRun(engine.ports, TENANT, 'run1');
    await settleRun(engine.ports, TENANT, 'run1');
    expect([(await engine.run('run1')).stage, woken()]).toEqual(['executing', ['execute 3']]);
    await ask('integrate');
    expect((await engine.run('run1')).stage).toBe('integrating');
    expect(engine.mail.map(({ topic }) => topic)).toEqual(['run-finished']);
  });

  it('write nothing outside until publication is asked for', async () => {
    await store(
      runOf({ ...asked('integrate'), stage: 'integrating', integrations: 1, changeOrder: ['api'] }),
      [work, integrate],
    );
    await integrateRun(engine.ports, TENANT, 'run1');
    await integrateRun(engine.ports, TENANT, 'run1');
    expect(await engine.run('run1')).toMatchObject({ stage: 'integrating', heads: [] });
    expect(woken()).toEqual(['integrate 3']);
  });

  it('leave the run in review until closing is asked for', async () => {
    await store(
      runOf({ ...asked('review'), stage: 'awaiting_review', integrations: 1, changeOrder: ['api'] }),
      [work, integrate, review],
    );
    await integrateRun(engine.ports, TENANT, 'run1');
    expect([(await engine.run('run1')).stage, woken()]).toEqual(['awaiting_review', ['review 3']]);
    await ask('close');
    await engine.drain();
    expect([(await engine.run('run1')).stage, woken()]).toEqual(['succeeded', ['review 3', 'close 4']]);
  });
});
