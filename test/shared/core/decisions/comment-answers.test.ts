import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { decomposeRun } from '../../../../shared/core/decompose-run.ts';
import { MAX_OFFERS } from '../../../../shared/core/decisions/decision.ts';
import { settleDueDecisions } from '../../../../shared/core/decisions/settle-due-decisions.ts';
import { receiveWebhook, type WebhookReceipt } from '../../../../shared/core/intake/receive-webhook.ts';
import type { Ports } from '../../../../shared/core/ports.ts';
import { refs } from '../../../../shared/core/refs.ts';
import type { Run } from '../../../../shared/core/run.ts';
import type { CodeHost } from '../../../../shared/ports/code-host.ts';
import { PenstockError } from '../../../../shared/ports/penstock-error.ts';
import { commented } from '../../../runtime/signed-webhook.ts';
import { blockedRun, LIMIT } from '../../../support/blocked-run.ts';
import { startEngine, TENANT, type Engine } from '../../../support/engine.ts';

const changes: Partial<Run> = {
  targets: [{ host: 'github', repository: 'acme/todo', installationId: 11, headBranch: 'penstock/run1' }],
  origin: { kind: 'github', actor: 'github:dana', issue: { number: 7, url: 'https://x.test/7' } },
};

describe('a comment that answers a decision', () => {
  let engine: Engine;
  let decision: string;
  /** Of the host: who may do what; nobody answers where it is undefined. */
  let permissions: Record<string, string> | undefined;
  /** Logins that the host was asked about; it answers once they are let through. */
  let asked: string[];
  let gates: (() => void)[];
  let gated: boolean;
  let ports: Ports;
  beforeEach(async () => {
    engine = await startEngine();
    permissions = { dana: 'write', eve: 'read' };
    [asked, gates, gated] = [[], [], false];
    const permission = async (_target: unknown, login: string): Promise<string> => {
      asked.push(login);
      if (gated) await new Promise<void>((resolve) => gates.push(resolve));
      if (permissions === undefined) throw new PenstockError('unavailable', 'no answer', { retry: 'later' });
      return permissions[login] ?? 'none';
    };
    ports = { ...engine.ports, codeHost: () => ({ permission }) as unknown as CodeHost };
    [decision = ''] = (await blockedRun(ports, { run: changes })).decisions;
    engine.clock.advance(60_000);
    engine.mail.length = 0;
  });
  afterEach(() => engine.close());

  let deliveries = 0;
  const post = (
    body: string,
    more: object = {},
    deliveryId = `d${(deliveries += 1)}`,
  ): Promise<WebhookReceipt> => {
    const created_at = new Date(engine.clock.now()).toISOString();
    const payload = commented(body, { comment: { body, created_at }, ...more });
    const rawBody = new TextEncoder().encode(JSON.stringify({ payload, deliveryId }));
    return receiveWebhook(ports, { event: 'issue_comment', deliveryId, rawBody, payload });
  };
  const by = (login: string) => ({ sender: { login, type: 'User' } });
  /** What decomposition does with the message of the webhook. */
  const follow = () => decomposeRun(ports, { v: 1, tenant: TENANT, run: 'run1' });
  const read = async () => (await ports.store.get(refs.decision(TENANT, decision)))?.data;

  it('is one answer of somebody who may write to the repository, by the words that it has', async () => {
    expect(await post('/penstock approve go on then')).toEqual({
      outcome: 'recorded',
      reason: `an answer to decision ${decision}`,
      runId: 'run1',
    });
    expect(await read()).toMatchObject({ state: 'open', offers: [{ login: 'dana', option: 'raise' }] });
    expect(engine.mail.map(({ topic }) => topic)).toEqual(['run-accepted']);
    await follow();
    expect(await read()).toMatchObject({
      state: 'decided',
      option: 'raise',
      actor: 'github:dana',
      comment: 'go on then',
    });
    expect((await read())?.offers).toBeUndefined();
    expect(await engine.run('run1')).toMatchObject({ budget: { limitMicroUsd: 2 * LIMIT }, touches: 1 });
    await follow();
    expect(await engine.run('run1')).toMatchObject({ budget: { limitMicroUsd: 2 * LIMIT }, touches: 1 });
  });

  it.each([
    ['/penstock reject', 'stop'],
    ['/penstock option 2', 'stop'],
    ['/penstock option 1', 'raise'],
    ['/penstock approve absolutely', 'raise'],
  ])('means by %s the option %s', async (body, option) => {
    await post(body);
    await follow();
    expect(await read()).toMatchObject({ state: 'decided', option });
  });

  it('may name its decision, which then may stand in any issue of the repository', async () => {
    const other = { issue: { number: 8, title: 'B', html_url: 'https://x.test/8', pull_request: {} } };
    expect(await post('/penstock reject', other)).toMatchObject({ outcome: 'ignored' });
    expect(await post(`/penstock reject ${decision}`, other)).toMatchObject({ outcome: 'recorded' });
    const elsewhere = { repository: { full_name: 'acme/other' } };
    expect(await post(`/penstock reject ${decision}`, elsewhere)).toMatchObject({
      outcome: 'ignored',
      reason: expect.stringContaining('for this repository'),
    });
  });

  it('of somebody who may not write changes nothing, and does not stand in the way of who may', async () => {
    await post('/penstock reject', by('eve'));
    await follow();
    expect(await read()).toMatchObject({ state: 'open' });
    expect((await read())?.offers).toBeUndefined();
    await post('/penstock reject', by('eve'));
    await post('/penstock approve');
    await follow();
    expect(await read()).toMatchObject({ state: 'decided', option: 'raise', actor: 'github:dana' });
  });

  it('waits for a host that does not say who may', async () => {
    permissions = undefined;
    await post('/penstock approve');
    await expect(follow()).rejects.toMatchObject({ retry: 'later' });
    expect(await read()).toMatchObject({ state: 'open', offers: [{ login: 'dana' }] });
    permissions = { dana: 'admin' };
    await follow();
    expect(await read()).toMatchObject({ state: 'decided' });
  });

  it('is not lost with its message: the sweep asks for it again, and reminds nobody meanwhile', async () => {
    await post('/penstock approve');
    engine.mail.length = 0;
    await settleDueDecisions(ports);
    expect(engine.mail.map(({ topic }) => topic)).toEqual(['run-accepted']);
    await post('/penstock reject', by('eve'));
    await follow();
    expect(await read()).toMatchObject({ state: 'decided', option: 'raise' });
    expect(await settleDueDecisions(ports)).toBe(0);
  });

  it('that does not count leaves the reminder where it was', async () => {
    const before = await read();
    await post('/penstock reject', by('eve'));
    await follow();
    expect((await read())?.dueAt).toBe(before?.remindAt);
  });

  it('is kept beside others that come at the same moment', async () => {
    await Promise.all([
      post('/penstock approve'),
      post('/penstock reject', by('eve')),
      post('/penstock option 2', by('finn')),
    ]);
    expect((await read())?.offers).toHaveLength(3);
  });

  /** Until so many questions to the host wait for their answer. */
  const untilAsked = async (count: number): Promise<void> => {
    while (gates.length < count) await new Promise((resolve) => setTimeout(resolve, 5));
  };

  it('is not dropped with the one that two handlers look at meanwhile', async () => {
    await post('/penstock reject', by('eve'));
    gated = true;
    const handlers = [follow(), follow()];
    await untilAsked(2);
    gates[0]?.();
    await Promise.race(handlers);
    await post('/penstock approve');
    gates[1]?.();
    await Promise.all(handlers);
    expect(asked).toEqual(['eve', 'eve']);
    expect(await read()).toMatchObject({ state: 'open', offers: [{ login: 'dana' }] });
    expect((await read())?.dueAt).toBe(engine.clock.now());
    gated = false;
    await follow();
    expect(await read()).toMatchObject({ state: 'decided', option: 'raise', actor: 'github:dana' });
  });

  it('evicts none that is being looked at, and is itself refused where there is no room, with what to do', async () => {
    for (let n = 0; n < MAX_OFFERS; n += 1) await post('/penstock reject', by(`stranger${n}`));
    gated = true;
    const handler = follow();
    await untilAsked(1);
    expect(await post('/penstock approve')).toEqual({
      outcome: 'ignored',
      reason: expect.stringMatching(/not checked yet; comment again in a minute, or answer with/),
    });
    gated = false;
    gates[0]?.();
    await handler;
    expect(asked).toHaveLength(MAX_OFFERS);
    expect((await read())?.offers).toBeUndefined();
    expect(await post('/penstock approve')).toMatchObject({ outcome: 'recorded' });
    await follow();
    expect(await read()).toMatchObject({ state: 'decided', actor: 'github:dana' });
  });

  it('is kept while many of strangers are looked at, and their many comments leave it room', async () => {
    for (let n = 0; n < 2 * MAX_OFFERS; n += 1) await post('/penstock reject', by('eve'));
    for (let n = 0; n < MAX_OFFERS - 2; n += 1) await post('/penstock reject', by(`stranger${n}`));
    gated = true;
    const handler = follow();
    await untilAsked(1);
    expect(await post('/penstock approve')).toMatchObject({ outcome: 'recorded' });
    gated = false;
    gates[0]?.();
    await handler;
    expect(await read()).toMatchObject({ state: 'open', offers: [{ login: 'dana' }] });
    expect((await read())?.offers).toHaveLength(1);
  });

  it('replaces an earlier one of the same person, and no later one', async () => {
    const early = new Date(engine.clock.now()).toISOString();
    engine.clock.advance(10_000);
    await post('/penstock approve');
    engine.clock.advance(10_000);
    await post('/penstock reject');
    expect(await post('', { comment: { body: '/penstock approve', created_at: early } })).toMatchObject({
      outcome: 'ignored',
      reason: `dana has answered decision ${decision} in a later comment`,
    });
    expect((await read())?.offers).toMatchObject([{ login: 'dana', option: 'stop' }]);
  });

  it('counts once, however often it is delivered', async () => {
    await post('/penstock approve', {}, 'same');
    expect(await post('/penstock approve', {}, 'same')).toMatchObject({ outcome: 'duplicate' });
    expect((await read())?.offers).toHaveLength(1);
    expect(engine.mail.map(({ topic }) => topic)).toEqual(['run-accepted', 'run-accepted']);
  });

  it('without a name is taken only where one question is open that it can be about', async () => {
    const early = { comment: { body: '/penstock approve', created_at: '2020-01-01T00:00:00Z' } };
    expect(await post('/penstock approve', early)).toMatchObject({
      reason: 'no decision of this issue is open',
    });
    await blockedRun(ports, { run: { ...changes, id: 'run2' } });
    engine.clock.advance(60_000);
    expect(await post('/penstock approve')).toMatchObject({
      outcome: 'ignored',
      reason: 'several decisions are open; name one',
    });
  });

  it.each([
    ['an edit', { action: 'edited' }],
    ['a bot', { sender: { login: 'ci[bot]', type: 'Bot' } }],
    ['an app', { comment: { body: '/penstock approve', performed_via_github_app: { id: 1 } } }],
    [
      'an option that there is not',
      { comment: { body: '/penstock option 9', created_at: '2030-01-01T00:00:00Z' } },
    ],
  ])('is not %s', async (_name, more) => {
    expect(await post('/penstock approve', more)).toMatchObject({ outcome: 'ignored' });
    expect((await read())?.offers).toBeUndefined();
    expect(engine.mail).toEqual([]);
  });
});
