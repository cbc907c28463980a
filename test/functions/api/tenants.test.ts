import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { problem } from '../../../shared/messages/problem.ts';
import { tenantView } from '../../../shared/messages/tenant.ts';
import { createSettings, SETTINGS_MAX_AGE_MS } from '../../../shared/core/settings.ts';
import { refs } from '../../../shared/core/refs.ts';
import type { Caller, Role } from '../../../shared/ports/identity.ts';
import { startPlatform, type Platform } from '../../support/platform.ts';
import { type ApiWorld, openApiWorld } from './api-world.ts';

const PATH = '/api/tenants/local';

describe('licence and settings of a tenant over HTTP', () => {
  let world: ApiWorld;
  afterEach(() => world.close());
  const open = async (roles: Role[] = ['team_admin']): Promise<void> => {
    const caller: Caller = { tenant: 'local', actor: 'ada', roles };
    world = await openApiWorld({ caller });
  };

  const get = () => world.app.request(PATH);
  const put = (body: unknown, tag: string | null, path = PATH) =>
    world.app.request(path, {
      method: 'PUT',
      headers: { 'content-type': 'application/json', ...(tag === null ? {} : { 'if-match': tag }) },
      body: JSON.stringify(body),
    });
  const tagOf = async () => (await get()).headers.get('etag') ?? '';

  it('are the defaults at first, and what a team admin has set afterwards (S-03)', async () => {
    await open();
    const first = await get();
    expect(tenantView.strict().parse(await first.json())).toMatchObject({
      id: 'local',
      licence: {},
      settings: { onBudget: 'ask', decisionDeadlineHours: 72 },
    });
    const expiresAt = '2031-01-01T00:00:00+01:00';
    const settings = { maxAttempts: 5, projectBudgetsUsd: { shop: 20 } };
    const answer = await put({ licence: { expiresAt }, settings }, await tagOf());
    expect(answer.status).toBe(200);
    const view = tenantView.strict().parse(await answer.json());
    expect(view).toMatchObject({ licence: { expiresAt: '2030-12-31T23:00:00.000Z' }, settings });
    const again = await get();
    expect(await again.json()).toEqual(view);
    expect(again.headers.get('etag')).toBe(answer.headers.get('etag'));
    const { settings: shown, licence } = view;
    expect(await (await put({ licence, settings: shown }, await tagOf())).json()).toEqual(view);
  });

  it('are changed on what was read: of two changes at once one is told to look again', async () => {
    await open();
    const tag = await tagOf();
    const change = (maxAttempts: number) => put({ licence: {}, settings: { maxAttempts } }, tag);
    const answers = await Promise.all([change(5), change(6)]);
    expect(answers.map(({ status }) => status)).toEqual(expect.arrayContaining([200, 412]));
    expect((await change(7)).status).toBe(412);
    expect((await put({ licence: {}, settings: {} }, null)).status).toBe(428);
    expect((await put({ licence: {}, settings: { maxAttempts: 8 } }, '*')).status).toBe(200);
    expect(await (await get()).json()).toMatchObject({ settings: { maxAttempts: 8 } });
  });

  it('are refused with every reason at once, and stay as they were (002-16)', async () => {
    await open();
    const settings = { maxAttempts: 99, pools: { core: { min: 3, max: 2 } }, typo: 1 };
    const answer = await put({ licence: { expiresAt: 'soon' }, settings }, '*');
    expect(answer.status).toBe(400);
    const paths = problem.parse(await answer.json()).errors?.map(({ path }) => path);
    expect(paths?.toSorted()).toEqual([
      'licence.expiresAt',
      'settings',
      'settings.maxAttempts',
      'settings.pools.core.min',
    ]);
    expect(await (await get()).json()).not.toMatchObject({ settings: { maxAttempts: 99 } });
  });

  it('say why they are not in force where somebody has written nonsense by hand, and can be mended', async () => {
    await open();
    await world.runtime.store.create(refs.settings('local'), { v: 1, maxAttempts: 99 });
    expect(await (await get()).json()).toMatchObject({ ignored: [expect.stringContaining('maxAttempts')] });
    const mended = await put({ licence: {}, settings: { maxAttempts: 9 } }, await tagOf());
    expect(await mended.json()).not.toHaveProperty('ignored');
  });

  it.each([[['developer']], [['operator']], [['developer', 'operator']]] as Role[][][])(
    'are not for %j (S-03)',
    async (roles) => {
      await open(roles);
      expect((await get()).status).toBe(403);
      expect((await put({ licence: {}, settings: {} }, '*')).status).toBe(403);
    },
  );

  it('of another tenant are not there, whoever asks', async () => {
    await open(['team_admin', 'developer', 'operator']);
    expect((await world.app.request('/api/tenants/acme')).status).toBe(404);
    expect((await put({ licence: {}, settings: {} }, '*', '/api/tenants/acme')).status).toBe(404);
    expect(await world.runtime.store.get(refs.tenant('acme'))).toBeUndefined();
  });

  it('are all that a team admin who is no developer gets to see', async () => {
    await open();
    for (const path of ['/api/runs', '/api/decisions', '/api/tenants/local/x', '/'])
      expect((await world.app.request(path)).status).toBe(403);
  });
});

describe('a platform that runs', () => {
  let platform: Platform;
  let aheadMs: number;
  beforeEach(async () => {
    aheadMs = 0;
    platform = await startPlatform({
      work: async () => ({ outcome: 'succeeded', summary: 'done' }),
      // Only the age of the settings is measured with a clock that the test can put ahead.
      decorate: (ports) => {
        const clock = { ...ports.clock, now: () => ports.clock.now() + aheadMs };
        return { ...ports, settings: createSettings({ ...ports, clock }) };
      },
    });
  });
  afterEach(() => platform.stop());

  const plan = { tasks: [{ id: 'api', agent: 'technical_writer', instructions: 'Write.' }] };
  const submit = (body: object = {}) =>
    platform.post('/api/requirements', { requirement: 'Write it.', plan, ...body });
  async function put(licence: object, settings: object): Promise<number> {
    const response = await fetch(`${platform.url}${PATH}`, {
      method: 'PUT',
      headers: { 'content-type': 'application/json', 'if-match': '*' },
      body: JSON.stringify({ licence, settings }),
    });
    await response.arrayBuffer();
    return response.status;
  }

  it('takes nothing in for a tenant whose licence has expired, and says so (S-03)', async () => {
    expect(await put({ expiresAt: '2020-01-01T00:00:00Z' }, {})).toBe(200);
    const refused = await submit();
    expect(refused).toMatchObject({
      status: 403,
      body: { detail: expect.stringContaining('the licence of tenant local expired at 2020-01-01') },
    });
    const taskRun = await platform.post('/api/v1/pm/tasks', {
      taskId: 1,
      serviceName: 'todo',
      markdownFiles: [{ filename: 'task.md', content: 'Write.' }],
    });
    expect(taskRun.status).toBe(403);
    expect(await put({ expiresAt: '2099-01-01T00:00:00Z' }, {})).toBe(200);
    expect((await submit()).status).toBe(202);
  });

  it('takes new settings without a restart, and stamps each run with those that it began with (002-16)', async () => {
    const settingsOf = async (body: object = {}) => {
      const answer = await submit(body);
      const run = await platform.ended(String(answer.body['runId']), 10_000);
      return { hash: run.pins.configHash, limit: run.budget.limitMicroUsd };
    };
    expect(await put({}, { defaultBudgetUsd: 3 })).toBe(200);
    const first = await settingsOf();
    expect(await put({}, { defaultBudgetUsd: 4 })).toBe(200);
    const known = await settingsOf();
    aheadMs = SETTINGS_MAX_AGE_MS;
    const second = await settingsOf();
    expect([first.limit, known.limit, second.limit]).toEqual([3_000_000, 3_000_000, 4_000_000]);
    expect(known.hash).toBe(first.hash);
    expect(second.hash).not.toBe(first.hash);
  });

  it('fails a run that its tenant has no money left for, and names the budget', async () => {
    expect(await put({}, { monthlyBudgetUsd: 1 })).toBe(200);
    const { body } = await submit({ budgetUsd: 1.5 });
    const run = await platform.ended(String(body['runId']), 10_000);
    expect(run).toMatchObject({ stage: 'failed', reason: { code: 'budget' } });
    expect(run.reason?.message).toContain('monthlyBudgetUsd');
  });
});
