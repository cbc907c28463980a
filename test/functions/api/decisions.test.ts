import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { decisionView, type DecisionView } from '../../../shared/messages/decision.ts';
import { problem } from '../../../shared/messages/problem.ts';
import { listOf, type RunEvent, type RunView } from '../../../shared/messages/run-view.ts';
import { blockedRun } from '../../support/blocked-run.ts';
import { type ApiWorld, openApiWorld } from './api-world.ts';

describe('the decisions of a tenant over HTTP', () => {
  let world: ApiWorld;
  let decision: string;
  beforeEach(async () => {
    world = await openApiWorld();
    [decision = ''] = (await blockedRun(world.runtime.ports)).decisions;
  });
  afterEach(() => world.close());

  async function answer(body: object): Promise<{ status: number; body: unknown }> {
    const response = await world.app.request('/api/decisions', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    return { status: response.status, body: await response.json() };
  }
  const list = async (query = '') =>
    listOf(decisionView.strict()).parse(await world.read(`/api/decisions${query}`));

  it('are listed, the newest first, with what is asked and until when', async () => {
    await new Promise((resolve) => setTimeout(resolve, 2));
    const { decisions } = await blockedRun(world.runtime.ports, { run: { id: 'run2' } });
    const { items } = await list();
    expect(items.map(({ id }) => id)).toEqual([decisions[0], decision]);
    expect(items[1]).toMatchObject({
      run: 'run1',
      task: 'api',
      kind: 'budget_raise',
      state: 'open',
      safeOption: 'stop',
      options: [{ id: 'raise', needs: 'budgetUsd' }, { id: 'stop' }],
    });
    const { createdAt = '', deadline = '' } = items[1] ?? {};
    expect(Date.parse(deadline) - Date.parse(createdAt)).toBe(72 * 3_600_000);
    const page = await world.read<{ items: DecisionView[]; next: string }>('/api/decisions?limit=1');
    const next = await list(`?limit=1&cursor=${encodeURIComponent(page.next)}`);
    expect([...page.items, ...next.items].map(({ id }) => id)).toEqual([decisions[0], decision]);
  });

  it('stand on the page of their run, with a button for each way to answer', async () => {
    const text = await (await world.app.request('/runs/run1')).text();
    expect(text).toContain(`Decision ${decision}`);
    for (const option of ['raise', 'stop'])
      expect(text).toMatch(new RegExp(`data-decision="${decision}"\\s+data-option="${option}"`));
    await answer({ decisionId: decision, option: 'stop' });
    expect(await (await world.app.request('/runs/run1')).text()).not.toContain('data-decision="');
  });

  it('are answered, with the new total and a comment, and are then what was decided (004-13, 004-23)', async () => {
    const body = { decisionId: decision, option: 'raise', budgetUsd: 3.5, comment: 'worth it <!-- x -->' };
    const { status, body: decided } = await answer(body);
    expect(status).toBe(200);
    expect(decisionView.strict().parse(decided)).toMatchObject({
      id: decision,
      state: 'decided',
      option: 'raise',
      budgetMicroUsd: 3_500_000,
      actor: 'local',
      comment: 'worth it',
    });
    expect(await world.read(`/api/decisions/${decision}`)).toEqual(decided);
    expect(await world.read('/api/runs/run1')).toMatchObject({ budgetMicroUsd: 3_500_000 });
    expect(await world.read('/api/runs/run1/tasks')).toMatchObject({ items: [{ state: 'pending' }] });
    expect(await answer(body)).toEqual({ status: 200, body: decided });
    expect((await list('?state=open')).items).toEqual([]);
    expect((await list('?state=decided')).items).toEqual([decided]);
  });

  it.each([
    ['404 for an unknown decision', { decisionId: 'nosuchone', option: 'stop' }, 404],
    ['404 for what is no id', { decisionId: '../x', option: 'stop' }, 404],
    ['400 for an unknown option', { option: 'maybe' }, 400],
    ['400 for a total that is no raise', { option: 'raise', budgetUsd: 1 }, 400],
    ['400 for a field that it has not', { option: 'stop', reason: 'x' }, 400],
    ['400 for an amount of nothing', { option: 'raise', budgetUsd: 0 }, 400],
  ])('say %s (004-13)', async (_name, body, status) => {
    const refused = await answer({ decisionId: decision, ...body });
    expect(refused.status).toBe(status);
    expect(problem.parse(refused.body).status).toBe(status);
    expect((await list('?state=open')).items).toHaveLength(1);
  });

  it('say 409 to another answer than the one that was given (004-13)', async () => {
    expect((await answer({ decisionId: decision, option: 'stop' })).status).toBe(200);
    const late = await answer({ decisionId: decision, option: 'raise' });
    expect(late.status).toBe(409);
    expect(problem.parse(late.body).detail).toContain('answered with stop by local');
  });

  it('are void, and say 409, once their run has been cancelled', async () => {
    const cancelled = await world.app.request('/api/runs/run1/cancel', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{}',
    });
    expect(cancelled.status).toBe(202);
    expect((await list('?state=open')).items).toEqual([]);
    expect((await list()).items).toMatchObject([{ id: decision, state: 'void' }]);
    const late = await answer({ decisionId: decision, option: 'raise' });
    expect(late.status).toBe(409);
    expect(problem.parse(late.body).detail).toContain('void');
  });

  it('stand in their run, in the status and in the events (004-17)', async () => {
    expect(await world.read<RunView>('/api/runs/run1')).toMatchObject({ decisions: [decision] });
    expect(await world.read('/api/status')).toMatchObject({ openDecisions: 1 });
    const events = await world.read<{ items: RunEvent[] }>('/api/runs/run1/events?wait=0');
    const needed = events.items.filter(({ type }) => type === 'decision_needed');
    expect(needed).toMatchObject([{ task: 'api', state: 'blocked', by: 'decision' }]);
    expect(needed[0]?.note).toContain(decision);
    await answer({ decisionId: decision, option: 'stop' });
    expect(await world.read<RunView>('/api/runs/run1')).not.toHaveProperty('decisions');
    expect(await world.read('/api/status')).toMatchObject({ openDecisions: 0 });
  });

  it('are those of the caller’s tenant only', async () => {
    const caller = { tenant: 'acme', actor: 'eve@example.com', roles: ['developer' as const] };
    const other = await openApiWorld({ caller });
    try {
      await blockedRun(other.runtime.ports);
      expect(await other.read('/api/decisions')).toEqual({ items: [] });
      expect((await other.app.request(`/api/decisions/${decision}`)).status).toBe(404);
      await blockedRun(other.runtime.ports, { run: { tenant: 'acme' }, tasks: [{ tenant: 'acme' }] });
      const { items } = await other.read<{ items: DecisionView[] }>('/api/decisions');
      const response = await other.app.request('/api/decisions', {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ decisionId: items[0]?.id, option: 'stop' }),
      });
      // An e-mail address stands in no record.
      expect(await response.json()).toMatchObject({ actor: expect.stringMatching(/^person [0-9a-f]{12}$/) });
    } finally {
      await other.close();
    }
  });
});
