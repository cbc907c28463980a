import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { Ports } from '../../../shared/core/ports.ts';
import { refs } from '../../../shared/core/refs.ts';
import type { Priority } from '../../../shared/core/run.ts';
import { sweep } from '../../../shared/core/sweep.ts';
import type { Task } from '../../../shared/core/task.ts';
import { MAX_PAGE } from '../../../shared/ports/store.ts';
import {
  DONE,
  type Engine,
  POLICY,
  portsOfProcess,
  receive,
  startEngine,
  TENANT,
} from '../../support/engine.ts';
import { taskOf } from '../../support/records.ts';
import { turn } from '../../support/world/turns.ts';

const MINUTE_MS = 60_000;
const priorities: Priority[] = ['low', 'critical', 'normal', 'high'];

let engine: Engine;
let processes: Ports[];
let running: number;
let most: number;
/** `run/task` in the order in which they began. */
let begun: string[];
let gate: PromiseWithResolvers<void>;

beforeEach(async () => {
  engine = await startEngine();
  running = 0;
  most = 0;
  begun = [];
  gate = Promise.withResolvers();
  gate.resolve();
  await engine.ports.store.create(refs.settings(TENANT), { v: 1, pools: { core: { max: 1 } } });
});
afterEach(() => engine.close());

async function startProcesses(count: number): Promise<void> {
  processes = await Promise.all(
    Array.from({ length: count }, async (_, n) => ({
      ...(await portsOfProcess({ ...engine.ports, host: `process-${n}` }, POLICY)),
      work,
    })),
  );
}

const work: Ports['work'] = async (open) => {
  running += 1;
  most = Math.max(most, running);
  const { brief } = (await open()).attempt;
  begun.push(`${brief.run}/${brief.task}`);
  await gate.promise;
  await turn();
  running -= 1;
  return DONE;
};

/** Everything that is in the mail, at the same time, by all processes in turn. */
function deliverAll(): Promise<unknown> {
  const taken = engine.mail.splice(0);
  return Promise.all(
    taken.map(({ topic, message }, at) => {
      const ports = processes[at % processes.length];
      if (ports === undefined) throw new Error('no process was started');
      return receive(ports, topic, { messageId: `m${at}`, message, attributes: { tenant: TENANT } });
    }),
  );
}

async function drain(): Promise<void> {
  while (engine.mail.length > 0) await deliverAll();
}

/** A run of tasks that wait for nothing but a place. */
async function submit(priority: Priority, tasks = 1): Promise<string> {
  const plan = Array.from({ length: tasks }, (_, n) => ({
    id: `t${n}`,
    agent: 'technical_writer',
    instructions: 'Nothing.',
  }));
  return (await engine.submit({ priority, plan })).id;
}

/** Takes the only place of the pool, until the gate opens. */
async function occupy(): Promise<{ leave: () => Promise<unknown> }> {
  gate = Promise.withResolvers();
  await submit('normal');
  await deliverAll();
  const occupant = deliverAll();
  while (begun.length === 0) await turn();
  return {
    leave: () => {
      gate.resolve();
      return occupant;
    },
  };
}

const order = (runs: Record<string, string>) =>
  begun.flatMap((name) => Object.keys(runs).find((key) => name.startsWith(`${runs[key]}/`)) ?? []);

describe('A pool of one', () => {
  it.each([1, 4])(
    'runs all of 50 waiting tasks of mixed priority, never more than itself and %i dispatchers at once',
    async (dispatchers) => {
      await startProcesses(dispatchers);
      const runs: string[] = [];
      for (let n = 0; n < 10; n += 1) runs.push(await submit(priorities[n % priorities.length] ?? 'low', 5));
      for (let round = 0; round < 60 && begun.length < 50; round += 1) {
        await drain();
        engine.clock.advance(MINUTE_MS);
        if (begun.length < 50) await sweep(engine.ports);
      }
      await drain();
      expect(new Set(begun).size).toBe(50);
      expect(begun).toHaveLength(50);
      expect(most).toBeLessThanOrEqual(dispatchers === 1 ? 1 : 1 + dispatchers);
      for (const run of runs) expect((await engine.run(run)).stage).toBe('succeeded');
    },
  );

  it('goes on from one to the next without a sweep', async () => {
    await startProcesses(1);
    await submit('normal', 8);
    await drain();
    expect(begun).toHaveLength(8);
  });

  it('begins what found no room, when the room came while that was written down', async () => {
    await startProcesses(1);
    const occupant = await occupy();
    const run = await submit('normal');
    const [first] = processes;
    if (first === undefined) throw new Error('no process was started');
    const commit: Ports['store']['commit'] = async (writes) => {
      const isWaiting = writes.some(
        (write) =>
          write.op === 'set' && 'rank' in write.data && 'state' in write.data && write.data.state === 'ready',
      );
      if (isWaiting) {
        await occupant.leave();
        const ended = engine.mail.splice(0);
        for (const { topic, message } of ended)
          await receive(first, topic, { messageId: 'end', message, attributes: { tenant: TENANT } });
      }
      return first.store.commit(writes);
    };
    processes = [{ ...first, store: { ...first.store, commit } }];
    await deliverAll();
    await deliverAll();
    expect(begun.at(-1)).toBe(`${run}/t0`);
  });

  it('takes the most urgent of those that have waited equally long', async () => {
    await startProcesses(1);
    const occupant = await occupy();
    const runs = Object.fromEntries(
      await Promise.all(priorities.map(async (priority) => [priority, await submit(priority, 2)] as const)),
    );
    await drain();
    await occupant.leave();
    await drain();
    expect(order(runs).join(' ')).toBe('critical critical high high normal normal low low');
  });

  it.each([
    { priority: 'critical', ahead: 60 },
    { priority: 'high', ahead: 15 },
    { priority: 'normal', ahead: 5 },
  ] as const)(
    'lets a low task that has waited more than $ahead minutes go before a fresh $priority one, and no earlier',
    async ({ priority, ahead }) => {
      await startProcesses(1);
      const occupant = await occupy();
      const older = await submit('low');
      await drain();
      engine.clock.advance(2 * MINUTE_MS);
      const old = await submit('low');
      await drain();
      engine.clock.advance((ahead - 1) * MINUTE_MS);
      const fresh = await submit(priority);
      await drain();
      await occupant.leave();
      await drain();
      expect(order({ older, old, fresh })).toEqual(['older', 'fresh', 'old']);
    },
  );
});

describe('A pool of three', () => {
  it('is full again after several of its tasks ended at once', async () => {
    await engine.ports.store.commit([
      { op: 'set', ref: refs.settings(TENANT), data: { v: 1, pools: { core: { max: 3 } } } },
    ]);
    await startProcesses(1);
    gate = Promise.withResolvers();
    await submit('normal', 9);
    await deliverAll();
    const first = deliverAll();
    while (begun.length < 3) await turn();
    gate.resolve();
    await first;
    const ended = engine.mail.filter(({ topic }) => topic === 'task-finished');
    expect(ended).toHaveLength(3);
    await deliverAll();
    const offered = engine.mail.map(({ message }) => (message as { task: string }).task);
    expect(new Set(offered).size).toBe(3);
  });
});

describe('Room that a sweep offers', () => {
  it('reaches every tenant, however many tasks of another wait for a full pool before its own', async () => {
    const { store } = engine.ports;
    const place = (tenant: string, id: string, changes: Partial<Task>) =>
      store.create(refs.task(tenant, 'run1', id), taskOf({ tenant, id, pool: 'core', ...changes }));
    for (const tenant of ['acme', 'beta', 'zeta'])
      await store.create(refs.settings(tenant), { v: 1, pools: { core: { max: 1 } } });
    for (const tenant of ['acme', 'beta']) {
      await place(tenant, 'first', { state: 'running', leaseUntil: engine.clock.now() + MINUTE_MS * 60 });
      for (let n = 0; n <= MAX_PAGE; n += 1) await place(tenant, `t${n}`, { state: 'ready' });
    }
    await place('zeta', 'last', { state: 'ready' });
    await place('zeta', 'specialist', { state: 'ready', pool: 'specialist' });
    await sweep(engine.ports);
    expect(engine.mail.map(({ message }) => message)).toEqual([
      expect.objectContaining({ tenant: 'zeta', task: 'last' }),
      expect.objectContaining({ tenant: 'zeta', task: 'specialist' }),
    ]);
  });
});
