import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { DeadLetter } from '../../shared/core/dead-letter.ts';
import type { Topic } from '../../shared/messages/topics.ts';
import { type ErrorCode, PenstockError } from '../../shared/ports/penstock-error.ts';
import { onMessage } from '../../shared/runtime/on-message.ts';
import { type FunctionRuntime, openRuntime } from './function-door.ts';
import { acceptedRun, readRun, TENANT } from './seed.ts';

describe('A message whose handling failed for good', () => {
  let runtime: FunctionRuntime;
  let run: string;
  beforeEach(async () => {
    runtime = await openRuntime();
    run = (await acceptedRun(runtime)).id;
  });
  afterEach(() => runtime.remove());

  const failWith = (topic: Topic, error: unknown) => {
    const handle = () => Promise.reject(error);
    const message = { v: 1, tenant: TENANT, run, task: 'first', generation: 1 };
    return onMessage({ name: 'test', topic, handle }, runtime.ports, {
      messageId: 'm-1',
      message,
      attributes: { tenant: TENANT, run },
    });
  };
  const kept = async () =>
    (
      await runtime.store.query<DeadLetter>({
        from: { collection: `tenants/${TENANT}/deadLetters` },
        limit: 10,
      })
    ).documents.length;

  it.each<ErrorCode>(['invalid', 'too_large', 'config', 'forbidden'])(
    'is kept, and its run ends with the reason: %s',
    async (code) => {
      await failWith('run-accepted', new PenstockError(code, 'it cannot be done'));
      expect(await kept()).toBe(1);
      expect(await readRun(runtime, run)).toMatchObject({
        stage: 'failed',
        reason: { code, message: 'it cannot be done' },
      });
    },
  );

  it.each<ErrorCode>(['stale', 'conflict'])(
    'because another was first is kept, and its run goes on: %s',
    async (code) => {
      await failWith('task-dispatched', new PenstockError(code, 'another was first'));
      expect(await kept()).toBe(1);
      expect((await readRun(runtime, run)).stage).toBe('accepted');
    },
  );

  it('because a comment could not be written is kept, and its run goes on', async () => {
    await failWith('notification-requested', new PenstockError('forbidden', 'the issue is locked'));
    expect(await kept()).toBe(1);
    expect((await readRun(runtime, run)).stage).toBe('accepted');
  });

  it.each([new Error('nobody foresaw it'), new PenstockError('unavailable', 'later', { retry: 'later' })])(
    'only for now is thrown, and nothing changes',
    async (error) => {
      await expect(failWith('run-accepted', error)).rejects.toBe(error);
      expect(await kept()).toBe(0);
      expect((await readRun(runtime, run)).stage).toBe('accepted');
    },
  );
});
