import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { deadLetters } from '../../../functions/dead-letters/dead-letters.ts';
import type { DeadLetter } from '../../../shared/core/dead-letter.ts';
import {
  type Door,
  type FunctionRuntime,
  openMessageDoor,
  openRuntime,
} from '../../runtime/function-door.ts';
import { messageDoor } from '../../runtime/message-door.ts';
import { pushMessage } from '../../runtime/push-message.ts';
import { acceptedRun, readRun, TENANT } from '../../runtime/seed.ts';

const letter = (run: string, more: object = {}) => ({
  topic: 'run-accepted',
  subscription: 'decomposition',
  messageId: 'm-7',
  message: { v: 1, tenant: TENANT, run },
  attributes: { tenant: TENANT, run },
  deliveryAttempt: 20,
  error: 'the host was away',
  ...more,
});

messageDoor(deadLetters, letter('gone1234'));

describe('Dead letters', () => {
  let runtime: FunctionRuntime;
  let door: Door;
  beforeEach(async () => {
    runtime = await openRuntime();
    door = await openMessageDoor(deadLetters, runtime);
  });
  afterEach(async () => {
    await door.close();
    await runtime.remove();
  });
  const kept = async () =>
    (
      await runtime.store.query<DeadLetter>({
        from: { collection: `tenants/${TENANT}/deadLetters` },
        limit: 10,
      })
    ).documents.map(({ data }) => data);

  it('keeps the message with its error, once, and ends the run that waited for it', async () => {
    const { id } = await acceptedRun(runtime);
    expect(await pushMessage(door.url, 'dead-letter', letter(id))).toBe(204);
    expect(await pushMessage(door.url, 'dead-letter', letter(id), { messageId: 'm-8' })).toBe(204);
    expect(await kept()).toMatchObject([
      {
        topic: 'run-accepted',
        subscription: 'decomposition',
        error: 'the host was away',
        message: { run: id },
      },
    ]);
    expect(await readRun(runtime, id)).toMatchObject({ stage: 'failed', reason: { code: 'dead_letter' } });
  });

  it('does not end a run because its comment could not be written', async () => {
    const { id } = await acceptedRun(runtime);
    await pushMessage(door.url, 'dead-letter', letter(id, { topic: 'notification-requested' }));
    expect(await kept()).toHaveLength(1);
    expect((await readRun(runtime, id)).stage).toBe('accepted');
  });

  it('keeps a letter whose attributes name no possible tenant', async () => {
    expect(
      await pushMessage(door.url, 'dead-letter', letter('gone1234', { attributes: { tenant: '../../x' } })),
    ).toBe(204);
    expect(await kept()).toHaveLength(1);
  });

  it('keeps no secret of a message, its attributes or its error', async () => {
    const token = `ghp_${'a'.repeat(36)}`;
    const message = { note: `with ${token}`, list: [{ password: `https://dana:${token}@example.com/x` }] };
    const attributes = { tenant: TENANT, header: `Bearer ${token}` };
    await pushMessage(door.url, 'dead-letter', letter('gone1234', { message, attributes, error: token }));
    const [only] = await kept();
    expect(JSON.stringify(only)).not.toContain(token);
    expect(only).toMatchObject({ message: { note: 'with [redacted: GitHub token]' } });
  });

  it('knows the topic from the publisher where the platform does not say it', async () => {
    const attributes = { tenant: TENANT, topic: 'run-finished' };
    await pushMessage(door.url, 'dead-letter', letter('gone1234', { topic: undefined, attributes }));
    expect(await kept()).toMatchObject([
      { topic: 'run-finished', state: 'open', run: 'gone1234', replays: [] },
    ]);
  });

  describe('as Pub/Sub forwards them', () => {
    const PUBLISHED = '2026-11-20T10:00:00.123Z';
    /** A copy of a message, with what Pub/Sub says of where it failed. */
    const forward = (
      messageId: string,
      { publishedAt = PUBLISHED, raw }: { publishedAt?: string; raw?: string } = {},
    ) =>
      pushMessage(
        door.url,
        'dead-letter',
        { v: 1, tenant: TENANT, run: 'gone1234' },
        {
          messageId,
          attributes: {
            topic: 'run-accepted',
            tenant: TENANT,
            run: 'gone1234',
            CloudPubSubDeadLetterSourceSubscription: 'decomposition',
            CloudPubSubDeadLetterSourceSubscriptionProject: 'acme',
            CloudPubSubDeadLetterSourceDeliveryCount: '20',
            ...(publishedAt === '' ? {} : { CloudPubSubDeadLetterSourceTopicPublishTime: publishedAt }),
          },
          ...(raw === undefined ? {} : { raw }),
        },
      );

    it('keeps the message as it was published, and where it failed', async () => {
      expect(await forward('copy-1')).toBe(204);
      expect(await kept()).toMatchObject([
        {
          topic: 'run-accepted',
          subscription: 'decomposition',
          message: { v: 1, tenant: TENANT, run: 'gone1234' },
          attributes: { topic: 'run-accepted', tenant: TENANT, run: 'gone1234' },
          run: 'gone1234',
        },
      ]);
    });

    it.each([
      ['one record of a copy that comes again', 'copy-1', {}, 1],
      ['one record of two copies of a message', 'copy-2', {}, 1],
      [
        'two records of a hint that was published twice',
        'copy-2',
        { publishedAt: '2026-11-20T11:00:00.000Z' },
        2,
      ],
    ])('keeps %s', async (_, messageId, options, count) => {
      await forward('copy-1');
      expect(await forward(messageId, options)).toBe(204);
      expect(await kept()).toHaveLength(count);
    });

    it('tells copies apart by their own ids where nothing says when the message was published', async () => {
      for (const id of ['copy-1', 'copy-1', 'copy-2']) await forward(id, { publishedAt: '' });
      expect((await kept()).map((one) => ('messageId' in one ? one.messageId : '')).toSorted()).toEqual([
        'copy-1',
        'copy-2',
      ]);
    });

    it('keeps what is no JSON as text, under the subscription that it failed on', async () => {
      expect(await forward('copy-1', { raw: 'not json' })).toBe(204);
      expect(await kept()).toMatchObject([{ subscription: 'decomposition', message: { text: 'not json' } }]);
    });
  });

  it('keeps a letter that is larger than a record', async () => {
    const message = { padding: 'x'.repeat(300_000) };
    expect(await pushMessage(door.url, 'dead-letter', letter('gone1234', { message }))).toBe(204);
    expect(await kept()).toHaveLength(1);
  });
});
