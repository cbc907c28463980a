import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { receiveWebhook, type WebhookReceipt } from '../../../../shared/core/intake/receive-webhook.ts';
import { refs, runsOf } from '../../../../shared/core/refs.ts';
import type { Stage } from '../../../../shared/core/run.ts';
import type { Store } from '../../../../shared/ports/store.ts';
import { commented, labelled } from '../../../runtime/signed-webhook.ts';
import { type Engine, startEngine, TENANT } from '../../../support/engine.ts';

const MINUTE = 60_000;

describe('The label on an issue', () => {
  let engine: Engine;
  beforeEach(async () => {
    engine = await startEngine();
  });
  afterEach(() => engine.close());

  const receive = (event: string, payload: object, deliveryId: string, store: Store = engine.ports.store) =>
    receiveWebhook(
      { ...engine.ports, store },
      { event, deliveryId, rawBody: Buffer.from(JSON.stringify(payload)), payload },
    );
  const opened = labelled({ action: 'opened', label: undefined });
  const relabelled = (n: number) => labelled({ again: n });
  const countRuns = () => engine.ports.store.count({ from: { collection: runsOf(TENANT) } });
  const put = async ({ runId = '' }: WebhookReceipt, stage: Stage): Promise<void> => {
    const ref = refs.run(TENANT, runId);
    await engine.ports.store.commit([{ op: 'set', ref, data: { ...(await engine.run(runId)), stage } }]);
  };

  it.each([
    ['opened, then labelled', opened, labelled()],
    ['labelled, then opened', labelled(), opened],
  ])('starts one run where the issue is opened with it: %s', async (_, one, other) => {
    const first = await receive('issues', one, 'one');
    const second = await receive('issues', other, 'other');
    expect(first.outcome).toBe('run');
    expect(second).toEqual({
      outcome: 'ignored',
      reason: `the label on issue 7 of acme/todo has started run ${first.runId} already; comment "/penstock run" on the issue to start another`,
    });
    expect((await engine.ports.store.get(refs.delivery('d-other')))?.data).toMatchObject({
      outcome: 'ignored',
      reason: second.reason,
    });
    expect(await countRuns()).toBe(1);
  });

  it('starts one run where both deliveries come at the same moment, and the other is recorded', async () => {
    const store = withCommitsTogether(engine.ports.store, 2);
    const receipts = await Promise.all([
      receive('issues', opened, 'one', store),
      receive('issues', labelled(), 'other', store),
    ]);
    expect(receipts.map(({ outcome }) => outcome).toSorted()).toEqual(['ignored', 'run']);
    expect(await engine.ports.store.get(refs.delivery('d-one'))).toBeDefined();
    expect(await engine.ports.store.get(refs.delivery('d-other'))).toBeDefined();
    expect(await countRuns()).toBe(1);
    expect(engine.mail).toHaveLength(1);
  });

  it('starts one other run where it is put on twice at the same moment after the first has ended', async () => {
    await put(await receive('issues', labelled(), 'one'), 'succeeded');
    engine.clock.advance(MINUTE);
    const store = withCommitsTogether(engine.ports.store, 2);
    const receipts = await Promise.all(
      [1, 2].map((n) => receive('issues', relabelled(n), `again-${n}`, store)),
    );
    expect(receipts.map(({ outcome }) => outcome).toSorted()).toEqual(['ignored', 'run']);
    expect(await countRuns()).toBe(2);
  });

  it.each(['accepted', 'awaiting_review', 'cancelling'] as const)(
    'starts no other run while its own is %s, however long ago it was accepted',
    async (stage) => {
      await put(await receive('issues', labelled(), 'one'), stage);
      engine.clock.advance(60 * MINUTE);
      expect((await receive('issues', relabelled(1), 'again')).outcome).toBe('ignored');
      expect(await countRuns()).toBe(1);
    },
  );

  it.each(['succeeded', 'failed', 'cancelled'] as const)(
    'starts another run a minute after one that has %s was accepted, and that one is its run then',
    async (stage) => {
      await put(await receive('issues', labelled(), 'one'), stage);
      engine.clock.advance(MINUTE);
      const second = await receive('issues', relabelled(1), 'again');
      expect(second.outcome).toBe('run');
      engine.clock.advance(MINUTE);
      const third = await receive('issues', relabelled(2), 'third');
      expect(third).toMatchObject({ outcome: 'ignored', reason: expect.stringContaining(`${second.runId}`) });
      expect(await countRuns()).toBe(2);
    },
  );

  it('starts no other run within the minute, although its own has ended at once', async () => {
    await put(await receive('issues', opened, 'one'), 'failed');
    engine.clock.advance(MINUTE - 1);
    expect((await receive('issues', labelled(), 'other')).outcome).toBe('ignored');
  });

  it('starts another run once its own is gone', async () => {
    const { runId = '' } = await receive('issues', labelled(), 'one');
    await engine.ports.store.commit([{ op: 'delete', ref: refs.run(TENANT, runId) }]);
    engine.clock.advance(MINUTE);
    expect((await receive('issues', relabelled(1), 'again')).outcome).toBe('run');
  });

  it('of another issue, or of the same number elsewhere, starts its own run', async () => {
    await receive('issues', labelled(), 'one');
    const issue = { number: 8, title: 't', html_url: 'h', labels: [{ name: 'penstock' }] };
    expect((await receive('issues', labelled({ issue }), 'other')).outcome).toBe('run');
    const repository = { full_name: 'acme/shop' };
    expect((await receive('issues', labelled({ repository }), 'third')).outcome).toBe('run');
  });

  it('leaves commands alone: each starts a run', async () => {
    await receive('issues', labelled(), 'one');
    for (const n of [1, 2])
      expect(await receive('issue_comment', commented('/penstock run', { n }), `command-${n}`)).toMatchObject(
        { outcome: 'run' },
      );
    expect(await countRuns()).toBe(3);
  });

  it('is told again by a redelivery of either: a duplicate, also after the run has ended', async () => {
    const first = await receive('issues', opened, 'one');
    const second = await receive('issues', labelled(), 'other');
    await put(first, 'failed');
    engine.clock.advance(MINUTE);
    expect(await receive('issues', opened, 'one')).toMatchObject({
      outcome: 'duplicate',
      runId: first.runId,
    });
    expect(await receive('issues', labelled(), 'other')).toEqual({
      outcome: 'duplicate',
      reason: second.reason,
    });
    expect(await countRuns()).toBe(1);
  });
});

/** Holds commits until so many are asked for, so that each was decided without having seen the others. */
function withCommitsTogether(store: Store, wanted: number): Store {
  let asked = 0;
  const together = Promise.withResolvers<void>();
  return {
    ...store,
    commit: async (writes) => {
      asked += 1;
      if (asked === wanted) together.resolve();
      await together.promise;
      return store.commit(writes);
    },
  };
}
