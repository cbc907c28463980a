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

  it('keeps a letter that is larger than a record', async () => {
    const message = { padding: 'x'.repeat(300_000) };
    expect(await pushMessage(door.url, 'dead-letter', letter('gone1234', { message }))).toBe(204);
    expect(await kept()).toHaveLength(1);
  });
});
