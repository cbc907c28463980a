import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { createScheduler } from '../../../../../shared/adapters/workflows/engine/scheduler.ts';
import { createTimerQueue } from '../../../../../shared/adapters/workflows/engine/timer-queue.ts';
import { createTimerWheel } from '../../../../../shared/adapters/workflows/engine/timer-wheel.ts';
import { createVirtualClock } from '../../../../../shared/adapters/workflows/engine/virtual-clock.ts';

describe('the queue of timers', () => {
  it('gives what is due in the order of time and arrival, and nothing that was cancelled', () => {
    const timers = fc.array(fc.record({ due: fc.nat({ max: 20 }), isCancelled: fc.boolean() }), {
      maxLength: 200,
    });
    fc.assert(
      fc.property(timers, fc.nat({ max: 20 }), (all, now) => {
        const queue = createTimerQueue();
        const done: number[] = [];
        const cancels = all.map(({ due }, at) => queue.add(due, () => done.push(at)));
        for (const [at, { isCancelled }] of all.entries()) if (isCancelled) cancels[at]?.();
        for (let work = queue.take(now); work !== undefined; work = queue.take(now)) work();
        const live = all.map((timer, at) => ({ ...timer, at })).filter(({ isCancelled }) => !isCancelled);
        const expected = live
          .filter(({ due }) => due <= now)
          .toSorted((a, b) => a.due - b.due || a.at - b.at);
        expect(done).toEqual(expected.map(({ at }) => at));
        expect(queue.next()).toBe(
          live
            .map(({ due }) => due)
            .filter((due) => due > now)
            .toSorted((a, b) => a - b)[0],
        );
      }),
    );
  });
});

describe('the timer wheel', () => {
  it('does each thing at its time, the earliest first, and lets go of what is cancelled', async () => {
    const wheel = createTimerWheel();
    const done: string[] = [];
    const now = wheel.now();
    await new Promise<void>((resolve) => {
      wheel.at(now + 30, () => {
        done.push('late');
        resolve();
      });
      const cancel = wheel.at(now + 5, () => done.push('cancelled'));
      wheel.at(now + 10, () => done.push('early'));
      wheel.at(now - 5, () => done.push('past'));
      cancel();
    });
    expect(done).toEqual(['past', 'early', 'late']);
    expect(wheel.now()).toBeGreaterThanOrEqual(now + 30);
  });

  it('waits longer than a timer of Node can', async () => {
    const wheel = createTimerWheel();
    let isDone = false;
    const cancel = wheel.at(wheel.now() + 2 ** 40, () => (isDone = true));
    await new Promise((resolve) => {
      setTimeout(resolve, 20);
    });
    cancel();
    expect(isDone).toBe(false);
  });
});

describe('the virtual clock', () => {
  it('moves on to the next timer only when nothing is busy', async () => {
    const clock = createVirtualClock({ startMs: 0 });
    const seen: number[] = [];
    const free = clock.busy();
    await new Promise<void>((resolve) => {
      clock.at(1e9, () => {
        seen.push(clock.now());
        resolve();
      });
      setTimeout(() => {
        seen.push(clock.now());
        free();
      }, 10);
    });
    expect(seen).toEqual([0, 1e9]);
  });

  it('stands still while it is paused', async () => {
    const clock = createVirtualClock({ startMs: 0 });
    clock.pause();
    let isDone = false;
    clock.at(5, () => (isDone = true));
    await clock.settled();
    expect(isDone).toBe(false);
    clock.resume();
    await clock.settled();
    expect([isDone, clock.now()]).toEqual([true, 5]);
  });
});

describe('the scheduler of fibers', () => {
  it('hands over one answer at a time, when all fibers wait, in the order in which they came', async () => {
    const said: string[] = [];
    const scheduler = createScheduler<string>({
      onBusy: () => said.push('busy'),
      onIdle: () => said.push('idle'),
      onStray: (key) => said.push(`stray ${key}`),
    });
    const fiber = async (name: string): Promise<void> => {
      for (const call of [1, 2]) {
        said.push(`${name}${call} ${await scheduler.wait(`${name}${call}`)}`);
        await Promise.resolve();
        said.push(`${name}${call} done`);
      }
      scheduler.leave();
    };
    scheduler.enter();
    scheduler.enter();
    for (const key of ['b1', 'a1', 'b2', 'a2']) scheduler.arrive({ key, value: 'x' });
    await Promise.all([fiber('a'), fiber('b')]);
    expect(said).toEqual([
      'busy',
      ...['b1', 'a1', 'b2', 'a2'].flatMap((call) => [`${call} x`, `${call} done`]),
      'idle',
    ]);
    scheduler.arrive({ key: 'c1', value: 'x' });
    expect(said.slice(-3)).toEqual(['busy', 'stray c1', 'idle']);
  });
});
