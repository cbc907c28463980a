import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import type { DeadLetter, Delivery, Queue, Receive } from '../../shared/ports/queue.ts';
import { MAX_MESSAGE_BYTES } from '../../shared/ports/queue-rules.ts';

export interface ReceiveRequest {
  topic: string;
  /** @default a new one */
  subscription?: string;
  deadLetterTopic?: string;
  /** Pub/Sub takes 5 to 100. */
  maxDeliveries?: number;
}

export interface QueueUnderTest {
  queue: Queue;
  /** Makes topic and subscription where missing and receives until the returned function is called; failures come again soon. */
  receive(request: ReceiveRequest, onMessage: Receive): Promise<() => Promise<void>>;
  readDeadLetter(delivery: Delivery): DeadLetter;
  /** Where the queue talks to a server: the next publish is applied, then its connection breaks. */
  loseNextAnswer?(): void;
  close(): Promise<void>;
}

/**
 * What every queue does, whatever it is made of. Each case has topics of its own. `hasWire`: the queue talks to a server, so
 * that answers can get lost.
 */
export function queueContract(
  name: string,
  make: () => Promise<QueueUnderTest>,
  { hasWire }: { hasWire: boolean },
): void {
  describe(`${name} as a queue`, () => {
    let under: QueueUnderTest;
    let topic: string;

    beforeAll(async () => {
      under = await make();
    });
    beforeEach(() => {
      topic = `topic-${randomUUID()}`;
    });
    afterAll(async () => {
      await under.close();
    });

    it('delivers a message as it was published, with its attributes and where it comes from', async () => {
      const inbox = collector();
      const subscription = `sub-${randomUUID()}`;
      const stop = await under.receive({ topic, subscription }, inbox.receive);
      const message = {
        run: 'r-ä😀',
        n: [1, 2.5, null, [true]],
        inner: JSON.parse('{"__proto__":1,"":"\\u0000"}') as object,
      };
      const before = Date.now();
      await under.queue.publish(topic, message, {
        attributes: { tenant: 'acme', empty: '', traceparent: '00-ü' },
      });
      const delivery = await inbox.next();
      expect(delivery).toMatchObject({
        topic,
        subscription,
        attributes: { tenant: 'acme', empty: '', traceparent: '00-ü' },
      });
      expect(JSON.stringify(delivery.message)).toBe(JSON.stringify(message));
      expect(delivery.messageId).not.toBe('');
      expect(delivery.deliveryAttempt).toBe(1);
      expect(Math.abs(delivery.publishedAt - before)).toBeLessThan(10_000);
      await stop();
    });

    it('delivers an empty object, and no attributes as none', async () => {
      const inbox = collector();
      const stop = await under.receive({ topic }, inbox.receive);
      await under.queue.publish(topic, {});
      expect(await inbox.next()).toMatchObject({ message: {}, attributes: {} });
      await stop();
    });

    it('delivers each of many at least once, with an id of its own', async () => {
      const inbox = collector();
      const stop = await under.receive({ topic }, inbox.receive);
      await Promise.all(Array.from({ length: 100 }, (_, n) => under.queue.publish(topic, { n })));
      const numbers = new Set<unknown>();
      const messageIds = new Set<string>();
      while (numbers.size < 100) {
        const { message, messageId } = await inbox.next();
        numbers.add((message as { n: number }).n);
        messageIds.add(messageId);
      }
      expect(messageIds.size).toBe(100);
      await stop();
    });

    it('delivers again what failed, and not what was acknowledged', async () => {
      const inbox = collector();
      const stop = await under.receive({ topic }, async (delivery) => {
        await inbox.receive(delivery);
        const { n } = delivery.message as { n: number };
        if (n === 1 && inbox.count(({ message }) => (message as { n: number }).n === 1) < 3)
          throw new Error('not yet');
      });
      await under.queue.publish(topic, { n: 1 });
      await under.queue.publish(topic, { n: 2 });
      const ofOne: Delivery[] = [];
      while (ofOne.length < 3) {
        const delivery = await inbox.next();
        if ((delivery.message as { n: number }).n === 1) ofOne.push(delivery);
      }
      expect(new Set(ofOne.map(({ messageId }) => messageId)).size).toBe(1);
      await quiet();
      expect(inbox.count(({ message }) => (message as { n: number }).n === 1)).toBe(3);
      expect(inbox.count(({ message }) => (message as { n: number }).n === 2)).toBe(1);
      await stop();
    });

    it('delivers what was published at the same moment on several topics, each where it belongs', async () => {
      const inbox = collector();
      const topics = [topic, `other-${randomUUID()}`];
      const stops = await Promise.all(topics.map((one) => under.receive({ topic: one }, inbox.receive)));
      await Promise.all(
        Array.from({ length: 40 }, (_, n) =>
          under.queue.publish(topics[n % 2] ?? '', { n }, { attributes: { n: String(n) } }),
        ),
      );
      const seen = new Map<string, string>();
      while (seen.size < 40) {
        const delivery = await inbox.next();
        expect(delivery.message).toEqual({ n: Number(delivery.attributes['n']) });
        seen.set(delivery.attributes['n'] ?? '', delivery.topic);
      }
      expect([...seen].every(([n, of]) => of === topics[Number(n) % 2])).toBe(true);
      await Promise.all(stops.map((stop) => stop()));
    });

    it('does not hold up others for one that takes its time', async () => {
      const inbox = collector();
      let finish: () => void = () => undefined;
      const slow = new Promise<void>((resolve) => (finish = resolve));
      const stop = await under.receive({ topic }, async (delivery) => {
        if ('slow' in delivery.message) await slow;
        await inbox.receive(delivery);
      });
      await under.queue.publish(topic, { slow: true });
      await under.queue.publish(topic, { quick: true });
      expect(await inbox.next()).toMatchObject({ message: { quick: true } });
      finish();
      expect(await inbox.next()).toMatchObject({ message: { slow: true } });
      await stop();
    });

    it('gives each subscription of a topic every message, and other topics none', async () => {
      const [one, two, other] = [collector(), collector(), collector()];
      const stops = [
        await under.receive({ topic }, one.receive),
        await under.receive({ topic }, async (delivery) => {
          await two.receive(delivery);
          if (two.count(() => true) === 1) throw new Error('this subscription alone fails once');
        }),
        await under.receive({ topic: `other-${randomUUID()}` }, other.receive),
      ];
      await under.queue.publish(topic, { n: 1 });
      expect(await one.next()).toMatchObject({ message: { n: 1 } });
      expect(await two.next()).toMatchObject({ message: { n: 1 } });
      expect(await two.next()).toMatchObject({ message: { n: 1 } });
      await quiet();
      expect(one.count(() => true)).toBe(1);
      expect(other.count(() => true)).toBe(0);
      await Promise.all(stops.map((stop) => stop()));
    });

    it('gives a later subscription what is published from then on', async () => {
      const [early, late] = [collector(), collector()];
      const stopEarly = await under.receive({ topic }, early.receive);
      await under.queue.publish(topic, { n: 1 });
      await early.next();
      const stopLate = await under.receive({ topic }, late.receive);
      await under.queue.publish(topic, { n: 2 });
      expect(await late.next()).toMatchObject({ message: { n: 2 } });
      await stopEarly();
      await stopLate();
    });

    it('keeps messages for a subscription while nobody receives', async () => {
      const inbox = collector();
      const subscription = `sub-${randomUUID()}`;
      const stop = await under.receive({ topic, subscription }, inbox.receive);
      await stop();
      await under.queue.publish(topic, { n: 1 });
      const stopAgain = await under.receive({ topic, subscription }, inbox.receive);
      expect(await inbox.next()).toMatchObject({ message: { n: 1 } });
      await stopAgain();
    });

    it('puts a message on the dead-letter topic after its last delivery, and delivers it no more', async () => {
      const [inbox, letters] = [collector(), collector()];
      const deadLetterTopic = `dead-${randomUUID()}`;
      const subscription = `sub-${randomUUID()}`;
      const stopLetters = await under.receive({ topic: deadLetterTopic }, letters.receive);
      const stop = await under.receive(
        { topic, subscription, deadLetterTopic, maxDeliveries: 5 },
        async (delivery) => {
          await inbox.receive(delivery);
          if ('bad' in delivery.message) throw new Error('cannot be handled');
        },
      );
      await under.queue.publish(topic, { bad: 1 }, { attributes: { tenant: 'acme' } });
      await under.queue.publish(topic, { good: 1 });
      const letter = await letters.next();
      expect(letter.topic).toBe(deadLetterTopic);
      expect(under.readDeadLetter(letter)).toMatchObject({
        subscription,
        message: { bad: 1 },
        attributes: { tenant: 'acme' },
        deliveryAttempt: 5,
      });
      await quiet();
      const attempts = inbox.all.flatMap(({ message, deliveryAttempt }) =>
        'bad' in message ? [deliveryAttempt] : [],
      );
      expect(attempts).toEqual([1, 2, 3, 4, 5]);
      expect(letters.count(() => true)).toBe(1);
      await stop();
      await stopLetters();
    });

    it.each([
      ['an array', [1]],
      ['a text', 'text' as unknown as object],
      ['nothing', undefined as unknown as object],
    ])('refuses %s as a message', async (_what, message) => {
      await expect(under.queue.publish(topic, message)).rejects.toMatchObject({ code: 'invalid' });
    });

    it('refuses a message above the limit, and attributes that Pub/Sub would refuse', async () => {
      const large = under.queue.publish(topic, { text: 'ä'.repeat(MAX_MESSAGE_BYTES / 2) });
      await expect(large).rejects.toMatchObject({ code: 'too_large', retry: 'never' });
      const wrong = [{ '': 'x' }, { googx: 'x' }, { long: 'x'.repeat(1025) }, { n: 1 as unknown as string }];
      for (const attributes of wrong) {
        await expect(under.queue.publish(topic, { n: 1 }, { attributes })).rejects.toMatchObject({
          code: 'invalid',
        });
      }
      await expect(under.queue.publish('a/b', { n: 1 })).rejects.toMatchObject({ code: 'invalid' });
    });

    if (!hasWire) return;
    it('takes a message for published whose answer was lost, and may deliver it twice', async () => {
      const inbox = collector();
      const stop = await under.receive({ topic }, inbox.receive);
      under.loseNextAnswer?.();
      await under.queue.publish(topic, { n: 1 });
      await under.queue.publish(topic, { n: 2 });
      const seen = new Set<unknown>();
      while (seen.size < 2) seen.add(((await inbox.next()).message as { n: number }).n);
      await quiet();
      expect(inbox.count(({ message }) => (message as { n: number }).n === 1)).toBe(2);
      expect(inbox.count(({ message }) => (message as { n: number }).n === 2)).toBe(1);
      await stop();
    });
  });
}

/** Long enough for a repetition to show: the harnesses redeliver after a few milliseconds. */
async function quiet(): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, 300));
}

function collector() {
  const all: Delivery[] = [];
  let taken = 0;
  let wake: () => void = () => undefined;
  return {
    all,
    // oxlint-disable-next-line typescript/require-await
    receive: async (delivery: Delivery) => {
      all.push(delivery);
      wake();
    },
    count: (fits: (delivery: Delivery) => boolean) => all.filter(fits).length,
    /** Jest's own timeout ends a vain wait. */
    async next(): Promise<Delivery> {
      for (;;) {
        const delivery = all[taken];
        if (delivery !== undefined) {
          taken += 1;
          return delivery;
        }
        await new Promise<void>((resolve) => (wake = resolve));
      }
    },
  };
}
