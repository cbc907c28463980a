import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createHash } from 'node:crypto';
import { createRequire } from 'node:module';
import { refs, runsOf } from '../../../shared/core/refs.ts';
import type { Run } from '../../../shared/core/run.ts';
import { deliver, SECRET } from '../../runtime/signed-webhook.ts';
import { type Platform, startPlatform, TENANT } from '../../support/platform.ts';

type Payload = Record<string, unknown> & { action?: string };

/** GitHub's own recorded payloads: 329 of 58 events. */
const recorded = createRequire(import.meta.url)('@octokit/webhooks-examples') as {
  name: string;
  examples: Payload[];
}[];
const payloads = recorded.flatMap(({ name, examples }) => examples.map((payload) => ({ name, payload })));
const ofEvent = (event: string) => payloads.flatMap(({ name, payload }) => (name === event ? [payload] : []));

/** The recorded payload as it would be where our App is installed, on an issue that has our label, from a person. */
const triggering = (payload: Payload, n: number): Payload => ({
  ...payload,
  label: { name: 'penstock' },
  issue: { ...(payload['issue'] as object), number: n, labels: [{ name: 'penstock' }] },
  installation: { id: 5 },
  sender: { login: 'dana', type: 'User' },
});

describe('Every recorded GitHub payload, signed, through the HTTP door', () => {
  let platform: Platform;
  beforeAll(async () => {
    platform = await startPlatform({ env: { GITHUB_WEBHOOK_SECRET: SECRET } });
  });
  afterAll(() => platform.stop());

  const runs = async () =>
    (
      await platform.ports.store.query<Run>({ from: { collection: runsOf(TENANT) }, limit: 200 })
    ).documents.map(({ data }) => data);

  it('is complete: 329 payloads of 58 events', () => {
    expect(payloads).toHaveLength(329);
    expect(new Set(payloads.map(({ name }) => name)).size).toBe(58);
  });

  it('gets 202, stands in the ledger by delivery and by body, and starts no run without our label or command', async () => {
    const seen = new Set<string>();
    for (const [index, { name, payload }] of payloads.entries()) {
      const body = JSON.stringify(payload);
      const deliveryId = `example-${index}`;
      const answer = await deliver(platform.url, { event: name, payload: body, deliveryId });
      const sha = createHash('sha256').update(body).digest('hex');
      const outcome = seen.has(sha) ? 'duplicate' : answer.body.outcome;
      expect({ name, action: payload.action, ...answer }).toMatchObject({ status: 202, body: { outcome } });
      expect(['ignored', 'recorded', 'duplicate']).toContain(answer.body.outcome);
      expect((await platform.ports.store.get(refs.delivery(`b-${sha}`)))?.data).toMatchObject({
        event: name,
      });
      if (!seen.has(sha))
        expect((await platform.ports.store.get(refs.delivery(`d-${deliveryId}`)))?.data.event).toBe(name);
      seen.add(sha);
    }
    expect(await runs()).toEqual([]);
  });

  it.each(['ping', 'check_run', 'check_suite', 'workflow_run', 'workflow_job', 'status'])(
    'records %s as observed',
    async (event) => {
      for (const [index, payload] of ofEvent(event).entries()) {
        const answer = await deliver(platform.url, {
          event,
          payload: { ...payload, again: `${event}-${index}` },
        });
        expect(answer.body.outcome).toBe('recorded');
      }
    },
  );

  it('starts a run from an issue with the label only when it is labelled or opened', async () => {
    for (const [index, payload] of ofEvent('issues').entries()) {
      const { body, status } = await deliver(platform.url, {
        event: 'issues',
        payload: triggering(payload, 1_000 + index),
      });
      expect(status).toBe(202);
      const starts = payload.action === 'labeled' || payload.action === 'opened';
      expect([payload.action, body.outcome]).toEqual([payload.action, starts ? 'run' : 'ignored']);
    }
  });

  it.each(['/penstock run', '/penstock plan'])(
    'starts a run from the comment %s only when it is new',
    async (command) => {
      for (const [index, payload] of ofEvent('issue_comment').entries()) {
        const comment = { ...(payload['comment'] as object), body: command, performed_via_github_app: null };
        const { pull_request: _pull, ...issue } = payload['issue'] as Record<string, unknown>;
        const sent = { ...triggering({ ...payload, issue }, 2_000 + index), comment };
        const { body } = await deliver(platform.url, { event: 'issue_comment', payload: sent });
        expect([payload.action, body.outcome]).toEqual([
          payload.action,
          payload.action === 'created' ? 'run' : 'ignored',
        ]);
      }
    },
  );

  it('starts nothing from any other event, whatever its label and issue say', async () => {
    const others = payloads.filter(({ name }) => name !== 'issues' && name !== 'issue_comment');
    const before = (await runs()).length;
    for (const [index, { name, payload }] of others.entries()) {
      const comment = { body: '/penstock run' };
      const sent = {
        ...payload,
        label: { name: 'penstock' },
        installation: { id: 5 },
        ...('comment' in payload ? { comment } : {}),
        index,
      };
      const { status, body } = await deliver(platform.url, { event: name, payload: sent });
      expect({ name, status, outcome: body.outcome }).toEqual({
        name,
        status: 202,
        outcome: expect.stringMatching(/^(ignored|recorded)$/),
      });
    }
    expect((await runs()).length).toBe(before);
  });
});
