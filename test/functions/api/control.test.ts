import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { decomposeRun } from '../../../shared/core/decompose-run.ts';
import { acceptedRun } from '../../../shared/messages/requirement-body.ts';
import { planView, runView } from '../../../shared/messages/run-view.ts';
import { problem } from '../../../shared/messages/problem.ts';
import type { Run } from '../../../shared/core/run.ts';
import { type ApiWorld, openApiWorld } from './api-world.ts';
import { claim, plannedTask, readRun, startRun, work } from './drive-run.ts';

const PLAN = {
  tasks: [plannedTask('a'), plannedTask('b', 'technical_writer', ['a']), plannedTask('c')],
};

let world: ApiWorld;
beforeAll(async () => {
  world = await openApiWorld();
});
afterAll(() => world.close());

function ask(path: string, body: unknown = {}, key?: string): Promise<Response> | Response {
  const headers = {
    'content-type': 'application/json',
    ...(key === undefined ? {} : { 'idempotency-key': key }),
  };
  return world.app.request(path, { method: 'POST', headers, body: JSON.stringify(body) });
}
const run = (submission = {}): Promise<Run> => startRun(world.runtime.ports, { plan: PLAN, ...submission });

/** A run that failed at `b`, with `a` and `c` done. */
async function failedRun(): Promise<Run> {
  const started = await run();
  const { ports } = world.runtime;
  await work(ports, started, 'a', { result: { outcome: 'succeeded', summary: 'a is done', output: 'of a' } });
  await work(ports, started, 'c');
  const failure = { code: 'invalid_input' as const, message: 'it makes no sense' };
  await work(ports, started, 'b', { result: { outcome: 'failed', failure } });
  return readRun(ports, started);
}

describe('pausing and resuming over HTTP', () => {
  it('says that the run is paused, and that it is not any more; repeating it changes nothing', async () => {
    const { id } = await run();
    const path = `/api/runs/${id}`;
    const paused = await ask(`${path}/pause`);
    expect([paused.status, runView.parse(await paused.json())]).toMatchObject([
      202,
      { id, stage: 'executing', paused: true },
    ]);
    const before = await world.read<object>(path);
    expect((await ask(`${path}/pause`)).status).toBe(202);
    expect(await world.read<object>(path)).toEqual(before);
    expect(runView.parse(before)).toMatchObject({ paused: true });
    const resumed = await ask(`${path}/resume`);
    expect([resumed.status, runView.parse(await resumed.json()).paused]).toEqual([202, false]);
    expect((await ask(`${path}/resume`)).status).toBe(202);
  });

  it('keeps waiting tasks from being claimed, and those that run not from ending', async () => {
    const started = await run();
    const { ports } = world.runtime;
    await claim(ports, started, 'c');
    await ask(`/api/runs/${started.id}/pause`);
    await expect(claim(ports, started, 'a')).rejects.toThrow();
    await ask(`/api/runs/${started.id}/resume`);
    await expect(claim(ports, started, 'a')).resolves.toMatchObject({ task: 'a' });
  });

  it('is refused for a run that has ended, and unknown for one that is not there', async () => {
    const { id } = await failedRun();
    for (const verb of ['pause', 'resume']) {
      const answer = await ask(`/api/runs/${id}/${verb}`);
      expect(problem.parse(await answer.json())).toMatchObject({
        status: 409,
        detail: `run ${id} has already failed; there is nothing to ${verb}`,
      });
      expect((await ask(`/api/runs/nothere1/${verb}`)).status).toBe(404);
    }
  });
});

describe('retrying over HTTP', () => {
  it('answers the new run, which says what it repeats and took over', async () => {
    const old = await failedRun();
    const answer = await ask(`/api/runs/${old.id}/retry`, {}, 'retry-1');
    const accepted = acceptedRun.strict().parse(await answer.json());
    expect([answer.status, accepted]).toMatchObject([
      202,
      { stage: 'accepted', duplicate: false, links: { run: `/api/runs/${accepted.runId}` } },
    ]);
    expect(runView.strict().parse(await world.read(`/api/runs/${accepted.runId}`))).toMatchObject({
      forkedFrom: { run: old.id, reuse: ['a', 'c'] },
      requirement: old.requirement,
    });
    const again = acceptedRun.parse(await (await ask(`/api/runs/${old.id}/retry`, {}, 'retry-1')).json());
    expect(again).toMatchObject({ runId: accepted.runId, duplicate: true });
    const other = await failedRun();
    expect((await ask(`/api/runs/${other.id}/retry`, {}, 'retry-1')).status).toBe(409);
  });

  it('is refused while the run goes on', async () => {
    const { id } = await run();
    expect((await ask(`/api/runs/${id}/retry`)).status).toBe(409);
  });
});

describe('forking over HTTP', () => {
  it('answers the new run, with the chosen task told otherwise', async () => {
    const old = await failedRun();
    const body = { task: 'b', instructions: 'Do it otherwise.' };
    const answer = await ask(`/api/runs/${old.id}/fork`, body, 'fork-1');
    const { runId } = acceptedRun.parse(await answer.json());
    expect(answer.status).toBe(202);
    const shown = runView.parse(await world.read(`/api/runs/${runId}`));
    expect(shown.forkedFrom).toEqual({ run: old.id, reuse: ['a', 'c'] });
    await decomposeRun(world.runtime.ports, { v: 1, tenant: 'local', run: runId });
    const plan = planView.parse(await world.read(`/api/runs/${runId}/plan`));
    expect(plan.tasks.map(({ id, instructions }) => [id, instructions])).toEqual([
      ['a', 'Do a.'],
      ['b', 'Do it otherwise.'],
      ['c', 'Do c.'],
    ]);
    const repeated = acceptedRun.parse(await (await ask(`/api/runs/${old.id}/fork`, body, 'fork-1')).json());
    expect(repeated).toMatchObject({ runId, duplicate: true });
    expect((await ask(`/api/runs/${old.id}/fork`, { task: 'a' }, 'fork-1')).status).toBe(409);
  });

  it('names what is wrong with what it is asked', async () => {
    const old = await failedRun();
    const path = `/api/runs/${old.id}/fork`;
    expect((await ask(path, { task: 'ghost' })).status).toBe(404);
    expect((await ask(path, {})).status).toBe(400);
    expect((await ask(path, { task: 'b', instructions: '' })).status).toBe(400);
    expect((await ask(path, { task: 'b', budget: 1 })).status).toBe(400);
    expect((await ask(path, { task: 'b' }, 'not a key')).status).toBe(400);
    const unplanned = await run({ dryRun: true });
    expect((await ask(`/api/runs/${unplanned.id}/fork`, { task: 'a' })).status).toBe(409);
  });
});
