import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createHash } from 'node:crypto';
import type { Run } from '../../../shared/core/run.ts';
import {
  artifactView,
  costView,
  listOf,
  planView,
  runView,
  statusView,
  taskView,
} from '../../../shared/messages/run-view.ts';
import { problem } from '../../../shared/messages/problem.ts';
import type { SampleRepository } from '../../support/sample-repository.ts';
import { type ApiWorld, openApiWorld } from './api-world.ts';
import { claim, readRun, startRun, work } from './drive-run.ts';
import { integrateARun } from './integrated-run.ts';

const MUTATION = { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{}' };

describe('reading a run over HTTP', () => {
  let world: ApiWorld;
  let run: Run;
  let repository: SampleRepository;
  beforeAll(async () => {
    world = await openApiWorld();
    ({ run, repository } = await integrateARun(world.runtime.ports));
  });
  afterAll(async () => {
    await world.close();
    repository.remove();
  });

  const path = (rest = '') => `/api/runs/${run.id}${rest}`;

  it('shows the run with its stage, target, plan and history, and nothing of how it is stored', async () => {
    const answer = await world.read<object>(path());
    expect(runView.strict().parse(answer)).toMatchObject({
      id: run.id,
      stage: 'succeeded',
      repository: repository.folder,
      baseSha: repository.baseSha,
      headBranch: `penstock/${run.id}`,
      headSha: run.heads.at(-1),
      budgetMicroUsd: 2_000_000,
      plan: { tasks: 2, parallel: 1 },
      diffStat: { files: 2 },
    });
    expect(JSON.stringify(answer)).not.toMatch(/claimHash|ticketHash|"key"|tasksRoot/);
  });

  it('shows the plan that was accepted', async () => {
    const plan = planView.parse(await world.read(path('/plan')));
    expect(plan.hash).toBe(run.plan?.hash);
    expect(plan.tasks.map(({ id, dependencies }) => [id, dependencies])).toEqual([
      ['api', []],
      ['store', ['api']],
    ]);
  });

  it('adds up what was spent, by task', async () => {
    const cost = costView.parse(await world.read(path('/cost')));
    expect(cost).toMatchObject({ spentMicroUsd: 43_500, reservedMicroUsd: 0, calls: 3, simulated: true });
    expect(cost.usage).toEqual({ input: 2_700, output: 750, cacheRead: 12_000, cacheWrite: 300 });
    expect(Object.fromEntries(cost.tasks.map((row) => [row.task, row.spentMicroUsd]))).toEqual({
      api: 41_000,
      store: 2_000,
      'integrate-1': 0,
      review: 500,
    });
  });

  it('lists tasks page by page, each once', async () => {
    const ids: string[] = [];
    let next: string | undefined;
    do {
      const cursor = next === undefined ? '' : `&cursor=${encodeURIComponent(next)}`;
      const page = listOf(taskView).parse(await world.read(path(`/tasks?limit=3${cursor}`)));
      ids.push(...page.items.map(({ id }) => id));
      ({ next } = page);
    } while (next !== undefined);
    expect(ids).toEqual(['api', 'integrate-1', 'review', 'store']);
    const ofRun = await world.read<{ items: { id: string }[] }>(`/api/tasks?run=${run.id}`);
    expect(ofRun.items.map(({ id }) => id)).toEqual(ids);
  });

  it('shows attempts without the hash of their claim', async () => {
    const { items } = await world.read<{ items: Record<string, unknown>[] }>(path('/tasks/api/attempts'));
    expect(items).toHaveLength(1);
    expect(items[0]).toMatchObject({
      generation: 1,
      agent: 'backend_developer',
      state: 'succeeded',
      model: 'script-1',
    });
    expect(items[0]).not.toHaveProperty('claimHash');
  });

  it('gives the change as a diff, the whole or that of one task', async () => {
    const all = await (await world.app.request(path('/diff'))).text();
    expect(all).toContain('-export const b = 2;\n+export const b = "<b>two</b>";');
    expect(all).toContain('--- /dev/null\n+++ b/src/store.js');
    const one = await (await world.app.request(path('/diff?task=store'))).text();
    expect(one).not.toContain('src/api.js');
    expect((await world.app.request(path('/diff?task=review'))).status).toBe(404);
  });

  it('lists artifacts with sizes and hashes that are those of the bytes', async () => {
    const { items } = listOf(artifactView).parse(await world.read(path('/artifacts')));
    expect(items.map(({ id }) => id)).toEqual([
      'api.1.transcript',
      'api.1.output',
      'api.1.change-set',
      'integrate-1.1.change-set',
      'store.1.transcript',
      'store.1.output',
      'store.1.change-set',
    ]);
    for (const { id, bytes, sha256, mediaType } of items) {
      const answer = await world.app.request(path(`/artifacts/${id}`));
      const body = new Uint8Array(await answer.arrayBuffer());
      expect([body.length, createHash('sha256').update(body).digest('hex')]).toEqual([bytes, sha256]);
      expect(answer.headers.get('content-type')).toContain(mediaType);
      expect(answer.headers.get('content-security-policy')).toContain('sandbox');
    }
    const walked: string[] = [];
    let next: string | undefined = '';
    while (next !== undefined) {
      const page: { items: { id: string }[]; next?: string } = await world.read(
        path(`/artifacts?limit=2${next === '' ? '' : `&cursor=${next}`}`),
      );
      walked.push(...page.items.map(({ id }) => id));
      ({ next } = page);
    }
    expect(walked).toEqual(items.map(({ id }) => id));
    expect((await world.app.request(path('/artifacts?cursor=nothing'))).status).toBe(400);
  });

  it('counts runs by stage and knows its agents (004-11, 004-13)', async () => {
    const status = statusView.parse(await world.read('/api/status'));
    expect(status).toMatchObject({ runs: { succeeded: 1, failed: 0 }, model: { simulated: true } });
    expect(status.autonomy).toEqual({ finished: 1, untouched: 1, rate: 1 });
    const agents = await world.read<{ items: { name: string }[] }>('/api/agents');
    expect(agents.items.map(({ name }) => name)).toContain('backend_developer');
  });

  it.each([
    '/api/runs/nosuchrun',
    '/api/runs/..%2f..%2fx',
    '/api/runs/RUN',
    '/runs/nosuchrun',
    '/api/runs/nosuchrun/events',
    '/api/nothing',
    '/api/runs/nosuchrun/tasks/a/attempts/1/log',
  ])('answers %s with a problem of 404', async (unknown) => {
    const answer = await world.app.request(unknown);
    expect([answer.status, answer.headers.get('content-type')]).toEqual([404, 'application/problem+json']);
    expect(problem.parse(await answer.json()).status).toBe(404);
  });

  it.each([
    '/plan',
    '/artifacts/api.1.output',
    '/artifacts/x',
    '/tasks/none/attempts',
    '/tasks/api/attempts/2/log',
    '/tasks/api/attempts/x/transcript',
  ])('knows no %s that is not there', async (rest) => {
    const unplanned = await startRun(world.runtime.ports, { dryRun: true });
    const id = rest === '/plan' ? 'nosuchrun' : rest.startsWith('/artifacts') ? unplanned.id : run.id;
    expect((await world.app.request(`/api/runs/${id}${rest}`)).status).toBe(404);
  });

  it.each(['limit=0', 'limit=201', 'limit=ten', 'stage=lost', 'cursor=made-up'])(
    'refuses a list with ?%s',
    async (query) => {
      const answer = await world.app.request(`/api/runs?${query}`);
      expect([answer.status, answer.headers.get('content-type')]).toEqual([400, 'application/problem+json']);
    },
  );
});

describe('the list of runs', () => {
  it('goes from the newest to the oldest, page by page, or by stage', async () => {
    const world = await openApiWorld();
    const made: string[] = [];
    for (let n = 0; n < 5; n += 1) {
      const { id } = await startRun(world.runtime.ports, { dryRun: n === 2 });
      made.unshift(id);
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
    const first = await world.read<{ items: { id: string }[]; next: string }>('/api/runs?limit=3');
    const rest = await world.read<{ items: { id: string }[]; next?: string }>(
      `/api/runs?limit=3&cursor=${encodeURIComponent(first.next)}`,
    );
    expect([...first.items, ...rest.items].map(({ id }) => id)).toEqual(made);
    expect(rest.next).toBeUndefined();
    const done = await world.read<{ items: { id: string }[] }>('/api/runs?stage=succeeded');
    expect(done.items.map(({ id }) => id)).toEqual([made[2]]);
    const live = await world.read<{ items: { run: string; state: string }[] }>('/api/tasks');
    expect(live.items.map((task) => task.run)).toEqual(made.filter((id) => id !== made[2]));
    await world.close();
  });
});

describe('who may read', () => {
  const somebody = (roles: string[], tenant = 'other') =>
    ({ tenant, actor: 'ann@example.com', roles }) as never;

  it('gives another tenant a 404 for everything of a run, and an empty list', async () => {
    const world = await openApiWorld({ caller: somebody(['developer']) });
    const run = await startRun(world.runtime.ports);
    await work(world.runtime.ports, run, 'write');
    for (const rest of [
      '',
      '/plan',
      '/cost',
      '/diff',
      '/tasks',
      '/tasks/write/attempts',
      '/tasks/write/attempts/1/log',
      '/events',
      '/artifacts',
    ]) {
      expect([rest, (await world.app.request(`/api/runs/${run.id}${rest}`)).status]).toEqual([rest, 404]);
    }
    expect((await world.app.request(`/runs/${run.id}`)).status).toBe(404);
    expect((await world.app.request(`/api/runs/${run.id}/cancel`, MUTATION)).status).toBe(404);
    expect(await world.read('/api/runs')).toEqual({ items: [] });
    expect(await world.read(`/api/status`)).toMatchObject({ liveRuns: 0 });
    await world.close();
  });

  it('asks for the role of a developer, or of an operator where that is enough', async () => {
    const world = await openApiWorld({ caller: somebody(['operator'], 'local') });
    expect((await world.app.request('/api/runs')).status).toBe(403);
    expect((await world.app.request('/runs')).status).toBe(403);
    expect((await world.app.request('/health')).status).toBe(200);
    expect((await world.app.request('/api/dead-letters')).status).toBe(200);
    await world.close();
  });

  it('answers nothing to who is not known, not even that a route does not exist', async () => {
    const world = await openApiWorld();
    for (const path of ['/api/runs', '/runs', '/openapi.json', '/no/such/route']) {
      const answer = await world.app.request(path, { headers: { host: 'evil.example' } });
      expect([answer.status, answer.headers.get('content-type')]).toEqual([401, 'application/problem+json']);
    }
    await world.close();
  });
});

describe('cancelling over HTTP', () => {
  let world: ApiWorld;
  beforeAll(async () => {
    world = await openApiWorld();
  });
  afterAll(() => world.close());

  it('stops what waits and tells what runs; repeating it changes nothing', async () => {
    const run = await startRun(world.runtime.ports);
    await claim(world.runtime.ports, run, 'write');
    const first = await world.app.request(`/api/runs/${run.id}/cancel`, MUTATION);
    expect([first.status, runView.parse(await first.json()).stage]).toEqual([202, 'cancelling']);
    const before = await readRun(world.runtime.ports, run);
    const second = await world.app.request(`/api/runs/${run.id}/cancel`, MUTATION);
    expect(second.status).toBe(202);
    expect(await readRun(world.runtime.ports, run)).toEqual(before);
    const idle = await startRun(world.runtime.ports);
    const third = await world.app.request(`/api/runs/${idle.id}/cancel`, MUTATION);
    expect(runView.parse(await third.json()).stage).toBe('cancelled');
  });

  it('refuses a run that has ended otherwise', async () => {
    const run = await startRun(world.runtime.ports, { dryRun: true });
    expect((await world.app.request(`/api/runs/${run.id}/cancel`, MUTATION)).status).toBe(409);
  });

  it('refuses what a page of another site could send', async () => {
    const run = await startRun(world.runtime.ports);
    for (const type of [
      'text/plain',
      'application/x-www-form-urlencoded',
      'multipart/form-data; boundary=x',
    ]) {
      const form = { method: 'POST', headers: { 'content-type': type }, body: '{}' };
      expect((await world.app.request(`/api/runs/${run.id}/cancel`, form)).status).toBe(415);
    }
    const broken = { ...MUTATION, body: '{' };
    expect((await world.app.request(`/api/runs/${run.id}/cancel`, broken)).status).toBe(400);
    const huge = { ...MUTATION, body: JSON.stringify({ x: 'y'.repeat(100_000) }) };
    expect((await world.app.request(`/api/runs/${run.id}/cancel`, huge)).status).toBe(413);
    expect((await readRun(world.runtime.ports, run)).stage).toBe('executing');
  });
});
