import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import {
  afterFailure,
  afterNothing,
  afterSuccess,
  type Circuit,
  PROBE_MS,
  probed,
  providerCircuit,
  standingOf,
} from '../../../../shared/core/circuits/circuit.ts';

const NAME = providerCircuit('anthropic');
const NOW = 1_000_000;
const open: Circuit = {
  v: 1,
  key: NAME.key,
  state: 'open',
  since: NOW,
  reason: 'unavailable: 529',
  failures: 5,
  reopened: 0,
  retryAt: NOW + 60_000,
};
const fault = { reason: 'unavailable: again', since: NOW, failures: 5, resetMs: 60_000 };
const halfOpen = probed(open, 'a', open.retryAt) ?? open;

describe('a circuit', () => {
  it('opens, lets one through when its time has come, and closes with its success', () => {
    const opened = afterFailure(undefined, NAME, fault, NOW);
    expect(opened).toEqual({ ...open, reason: 'unavailable: again' });
    expect(standingOf(opened, 'a', NOW + 59_999)).toEqual({ until: NOW + 60_000 });
    expect(standingOf(opened, 'a', NOW + 60_000)).toBe('due');
    expect(halfOpen).toMatchObject({
      state: 'half_open',
      probe: { by: 'a', until: NOW + 60_000 + PROBE_MS },
    });
    expect(afterSuccess(halfOpen, halfOpen.since, halfOpen.since + 5)).toEqual({
      ...open,
      state: 'closed',
      since: halfOpen.since + 5,
      failures: 0,
      retryAt: 0,
    });
  });

  it('lets nobody else through while one is tried, and makes them ask again soon', () => {
    const now = halfOpen.since + 1;
    expect(standingOf(halfOpen, 'a', now)).toBe('free');
    expect(standingOf(halfOpen, 'b', now)).toEqual({ until: now + 10_000 });
    expect(probed(halfOpen, 'b', now)).toBeUndefined();
  });

  it('is tried by another when the one who tried has not come back', () => {
    const late = halfOpen.since + PROBE_MS;
    expect(standingOf(halfOpen, 'b', late)).toBe('due');
    expect(probed(halfOpen, 'b', late)?.probe).toEqual({ by: 'b', until: late + PROBE_MS });
  });

  it('stays open twice as long after each probe that fails, up to an hour', () => {
    let circuit = open;
    const waits: number[] = [];
    for (let times = 0; times < 8; times += 1) {
      const now = circuit.retryAt;
      circuit = probed(circuit, 'a', now) ?? circuit;
      circuit = afterFailure(circuit, NAME, { ...fault, since: now }, now) ?? circuit;
      waits.push((circuit.retryAt - circuit.since) / 60_000);
    }
    expect(waits).toEqual([2, 4, 8, 16, 32, 60, 60, 60]);
  });

  it('stays open as long as the other side asked', () => {
    expect(afterFailure(undefined, NAME, { ...fault, retryAfterMs: 90_000 }, NOW)?.retryAt).toBe(
      NOW + 90_000,
    );
  });

  it('hears nothing from what was begun before it came to its state', () => {
    expect(afterSuccess(halfOpen, halfOpen.since - 1, halfOpen.since)).toBeUndefined();
    expect(
      afterFailure(halfOpen, NAME, { ...fault, since: halfOpen.since - 1 }, halfOpen.since),
    ).toBeUndefined();
    expect(afterFailure(open, NAME, fault, NOW)).toBeUndefined();
  });

  it('is tried again at once when the probe says nothing, and only then', () => {
    const now = halfOpen.since + 1;
    expect(standingOf(afterNothing(halfOpen, 'a', now), 'b', now)).toBe('due');
    expect(afterNothing(halfOpen, 'b', now)).toBeUndefined();
    expect(afterNothing(open, 'a', now)).toBeUndefined();
  });
});

describe('a circuit through any sequence of events', () => {
  const step = fc.record({
    event: fc.constantFrom('ask', 'succeed', 'fail', 'nothing'),
    who: fc.constantFrom('a', 'b', 'c'),
    after: fc.integer({ min: 0, max: 200_000 }),
  });

  it('never has two probes at a time, and always comes to let somebody through', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        let circuit: Circuit | undefined = open;
        let now = NOW;
        for (const { event, who, after } of steps) {
          now += after;
          const before: Circuit = circuit;
          if (event === 'ask') circuit = probed(before, who, now) ?? before;
          if (event === 'succeed') circuit = afterSuccess(before, now, now) ?? before;
          if (event === 'fail') circuit = afterFailure(before, NAME, { ...fault, since: now }, now) ?? before;
          if (event === 'nothing') circuit = afterNothing(before, who, now) ?? before;
          const reached = circuit;
          const through = ['a', 'b', 'c'].filter((each) => standingOf(reached, each, now) === 'free');
          if (reached.state === 'closed') expect(through).toHaveLength(3);
          else expect(through.length).toBeLessThanOrEqual(1);
          if (reached.state === 'open') expect(through).toEqual([]);
        }
        const muchLater = now + 2 * 60 * 60_000;
        expect(['free', 'due']).toContain(standingOf(circuit, 'd', muchLater));
      }),
    );
  });
});
