import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { createHandWorkflows, type HandWorkflows } from '../../support/hand-workflows.ts';
import { inProcess, type Platform, startPlatform } from '../../support/platform.ts';

const PLAN = { tasks: [{ id: 'a', agent: 'technical_writer', instructions: 'Nothing.' }] };

inProcess(describe, 'the test plays the workflow')('the stages of a run that a workflow drives', () => {
  let platform: Platform;
  let hand: HandWorkflows;
  let run: string;
  beforeEach(async () => {
    hand = createHandWorkflows();
    platform = await startPlatform({
      work: () => Promise.resolve({ outcome: 'succeeded', summary: 'done' }),
      decorate: (ports) => ({
        ...ports,
        workflows: hand,
        policy: { ...ports.policy, drivers: ['requirement'] },
      }),
      env: { PENSTOCK_SWEEP_SECONDS: '600' },
    });
    const submitted = { requirement: 'Do it.', driver: 'requirement', plan: PLAN };
    const { body } = await platform.post('/api/requirements', submitted);
    run = String(body['runId']);
    await platform.settled();
  });
  afterEach(() => platform.stop());

  const claim = (execution = 'e1') => platform.post(`/internal/runs/${run}/claim`, { execution });
  const ask = (stage: string, body: object) => platform.post(`/internal/runs/${run}/stages/${stage}`, body);
  const request = (sequence: number) => ({ execution: 'e1', callback: `cb${sequence}`, sequence });
  const read = async () => (await fetch(`${platform.url}/internal/runs/${run}`)).json();

  it('are asked for one by one, and read again after each wake', async () => {
    expect(await claim()).toMatchObject({ status: 200, body: { stage: 'accepted', sequence: 1 } });
    expect(await ask('plan', request(1))).toMatchObject({ status: 202, body: { over: false } });
    await platform.settled();
    expect(await read()).toEqual({
      run,
      stage: 'planning',
      ended: false,
      paused: false,
      asked: 'plan',
      over: true,
      sequence: 2,
      decision: null,
      fixRounds: 0,
      head: null,
      reason: null,
      flags: { has_ai_features: false, needs_mobile: false, enterprise_deployment: false },
    });
    expect(await ask('execute', request(2))).toMatchObject({ status: 202 });
    await platform.settled();
    expect(await read()).toMatchObject({ stage: 'succeeded', ended: true, over: true });
    expect(hand.wakes.map(({ stage }) => stage)).toEqual(['plan', 'execute']);
  });

  it('are refused to every execution but the one that claimed the run', async () => {
    expect((await ask('plan', request(1))).status).toBe(409);
    await claim();
    expect((await claim('e2')).status).toBe(409);
    expect((await ask('plan', { ...request(1), execution: 'e2' })).status).toBe(409);
    expect(await read()).toMatchObject({ stage: 'accepted', asked: null, sequence: 1 });
  });

  it('give a ticket to nobody for an attempt that waits for no job', async () => {
    const attempt = (task: string, generation: string) =>
      `/internal/runs/${run}/tasks/${task}/attempts/${generation}`;
    const ticket = async (task: string, generation: string, body: object = { execution: 'e1' }) =>
      (await platform.post(`${attempt(task, generation)}/ticket`, body)).status;
    await claim();
    await ask('close', request(1));
    await platform.settled();
    expect(await ticket('a', '1')).toBe(409);
    expect(await ticket('nosuchtask', '1')).toBe(404);
    expect(await ticket('a', '0')).toBe(404);
    expect(await ticket('a', 'one')).toBe(404);
    expect(await ticket('a', '1', { execution: 'e1', url: 'https://evil.example' })).toBe(400);
    const view = await (await fetch(`${platform.url}${attempt('a', '1')}`)).json();
    expect(view).toEqual({ attempt: `local/${run}/a/1`, state: 'succeeded', ended: true });
    const ended = { execution: 'e1', end: 'failed', message: 'it was not me' };
    expect(await platform.post(`${attempt('a', '1')}/ended`, ended)).toMatchObject({
      status: 200,
      body: view,
    });
  });

  it('take the id of a callback and no URL, and a stage that there is', async () => {
    await claim();
    const callback = 'https://evil.example/callbacks/cb1';
    expect((await ask('plan', { ...request(1), callback })).status).toBe(400);
    expect((await ask('plan', { ...request(1), url: callback })).status).toBe(400);
    expect((await ask('conquer', request(1))).status).toBe(400);
    expect((await platform.post('/internal/runs/nosuchrun/claim', { execution: 'e1' })).status).toBe(404);
    expect((await fetch(`${platform.url}/internal/runs/nosuchrun`)).status).toBe(404);
  });
});
