import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { MessageLetter } from '../../shared/core/dead-letter.ts';
import type { Message, Topic } from '../../shared/messages/topics.ts';
import { PenstockError } from '../../shared/ports/penstock-error.ts';
import type { MessageFunction } from '../../shared/runtime/functions.ts';
import { type Door, type FunctionRuntime, openMessageDoor, openRuntime } from './function-door.ts';
import { pushMessage, sendCloudEvent } from './push-message.ts';

/** What every function behind a push subscription does with what comes through its door. `hint` names nothing that exists. */
export function messageDoor<T extends Topic>(fn: MessageFunction<T>, hint: Message<T>): void {
  describe(`The door of ${fn.name}`, () => {
    let runtime: FunctionRuntime;
    let door: Door;
    let breakdown: Error | undefined;
    /** Reads that still fail. */
    let failures: number;
    // The functions framework prints what a function throws; here it is thrown on purpose.
    beforeAll(() => {
      jest.spyOn(console, 'error').mockImplementation(() => undefined);
    });
    afterAll(() => {
      jest.restoreAllMocks();
    });
    beforeEach(async () => {
      breakdown = undefined;
      failures = Number.POSITIVE_INFINITY;
      runtime = await openRuntime({
        decorate: (ports) => ({
          ...ports,
          store: {
            ...ports.store,
            get: (ref) =>
              breakdown === undefined || (failures -= 1) < 0
                ? ports.store.get(ref)
                : Promise.reject(breakdown),
            create: (ref, data, options) =>
              breakdown === undefined || ref.collection.endsWith('/deadLetters')
                ? ports.store.create(ref, data, options)
                : Promise.reject(breakdown),
          },
        }),
      });
      door = await openMessageDoor(fn, runtime);
    });
    afterEach(async () => {
      await door.close();
      await runtime.remove();
    });

    const deadLetters = async (): Promise<MessageLetter[]> =>
      (
        await runtime.store.query<MessageLetter>({
          from: { collection: 'tenants/local/deadLetters' },
          limit: 10,
        })
      ).documents.map(({ data }) => data);
    const isLetter = fn.topic === 'dead-letter';

    it('takes a Pub/Sub push and acknowledges a hint to something that is gone', async () => {
      expect(await pushMessage(door.url, fn.topic, hint)).toBe(204);
      expect(await deadLetters()).toHaveLength(isLetter ? 1 : 0);
    });

    it('takes a structured CloudEvent too', async () => {
      expect(await sendCloudEvent(door.url, fn.topic, hint)).toBe(204);
      expect(await deadLetters()).toHaveLength(isLetter ? 1 : 0);
    });

    it.each([
      ['text that is not JSON', 'not json at all'],
      ['a list', '[1,2]'],
      ['fields of another message', '{"v":1,"colour":"red"}'],
      ['ids with tricks', '{"v":1,"tenant":"../other","run":"..","task":"../x","generation":1}'],
      ['an unknown version', '{"v":2,"tenant":"local","run":"abcd1234","task":"a","generation":1}'],
      ['half a character', '{"v":1,"tenant":"\\ud800"}'],
      ['a value deeper than a record may be', `{"v":1,"tenant":${'['.repeat(300)}${']'.repeat(300)}}`],
      ['more than a record may hold', JSON.stringify({ v: 1, padding: 'x'.repeat(300_000) })],
    ])('keeps %s once for a person, and acknowledges it', async (_, raw) => {
      expect(await pushMessage(door.url, fn.topic, {}, { raw, messageId: 'poison' })).toBe(204);
      expect(await pushMessage(door.url, fn.topic, {}, { raw, messageId: 'poison' })).toBe(204);
      const kept = await deadLetters();
      expect(kept).toMatchObject([
        {
          topic: fn.topic,
          subscription: fn.name,
          messageId: 'poison',
          error: expect.stringContaining(`not a ${fn.topic} message`),
        },
      ]);
      expect(JSON.stringify(kept[0]?.message)).toContain(
        raw.slice(0, 5).replaceAll('"', kept[0]?.message['text'] === undefined ? '"' : '\\"'),
      );
    });

    it('keeps an event that carries no message, and acknowledges it', async () => {
      expect(await sendCloudEvent(door.url, fn.topic, {}, { hello: 'world' })).toBe(204);
      expect(await deadLetters()).toMatchObject([
        { messageId: 'event-2', message: { text: '{"hello":"world"}' } },
      ]);
    });

    it('answers 5xx to what may pass, so that the message comes again, and keeps nothing', async () => {
      breakdown = new PenstockError('unavailable', 'the store is away', { retry: 'later' });
      expect(await pushMessage(door.url, fn.topic, hint)).toBeGreaterThanOrEqual(500);
      breakdown = new Error('nobody foresaw this');
      expect(await pushMessage(door.url, fn.topic, hint)).toBeGreaterThanOrEqual(500);
      expect(await deadLetters()).toHaveLength(isLetter ? 1 : 0);
      breakdown = undefined;
      expect(await pushMessage(door.url, fn.topic, hint)).toBe(204);
    });

    if (isLetter) return;

    it('keeps a message whose handling can never succeed, and acknowledges it', async () => {
      breakdown = new PenstockError('forbidden', 'the key was withdrawn; set a new one');
      failures = 1;
      expect(await pushMessage(door.url, fn.topic, hint, { attributes: { tenant: 'local' } })).toBe(204);
      expect(await deadLetters()).toMatchObject([
        { error: 'the key was withdrawn; set a new one', message: hint, attributes: { tenant: 'local' } },
      ]);
    });
  });
}
