import { afterEach, describe, expect, it } from '@jest/globals';
import type { Ports } from '../../../shared/core/ports.ts';
import { refs } from '../../../shared/core/refs.ts';
import { isTerminal, type Run } from '../../../shared/core/run.ts';
import type { Store, Write } from '../../../shared/ports/store.ts';
import { startPlatform, TENANT, type Platform } from '../../support/platform.ts';

/** What went through the ports; a document that a query answers is one read. */
interface Bill {
  taskWrites: number;
  runWrites: number;
  reads: number;
  counts: number;
  messages: Record<string, number>;
  conflicts: number;
}

interface PlannedEdge {
  id: string;
  dependencies: string[];
}

/** What a run writes and reads for itself, however many tasks it has: accepted, executing, ended. */
const RUN_WRITES = 3;
/** Decomposition and end read it, and so may a second that saw the end. */
const RUN_READS = 4;
/** Tasks that may be under way at the same time, executed and followed, and so find a join complete together. */
const AT_ONCE = 32;
/** Who ended last, and whether it has acted. */
const HAND_OVER_COUNTS = 2;

function count(bill: Bill): (ports: Ports) => Ports {
  const written = (writes: Write[]) => {
    for (const { ref } of writes) {
      if (ref.collection.endsWith('/tasks')) bill.taskWrites += 1;
      else bill.runWrites += 1;
    }
  };
  const counted = (store: Store): Store => ({
    ...store,
    get: async (ref) => {
      bill.reads += 1;
      return store.get(ref);
    },
    getMany: async (list) => {
      bill.reads += list.length;
      return store.getMany(list);
    },
    create: async (ref, data, options) => {
      const outcome = await store.create(ref, data, options);
      if (outcome === 'exists') bill.conflicts += 1;
      else written([{ op: 'create', ref, data }]);
      return outcome;
    },
    commit: async (writes) => {
      const result = await store.commit(writes);
      if (result.outcome === 'conflict') bill.conflicts += 1;
      else written(writes);
      return result;
    },
    query: async (query) => {
      const page = await store.query(query);
      bill.reads += page.documents.length;
      return page;
    },
    count: async (query) => {
      bill.counts += 1;
      return store.count(query);
    },
  });
  return (ports) => ({
    ...ports,
    store: counted(ports.store),
    queue: {
      ...ports.queue,
      publish: async (topic, message, options) => {
        bill.messages[topic] = (bill.messages[topic] ?? 0) + 1;
        await ports.queue.publish(topic, message, options);
      },
    },
  });
}

const chain = (length: number): PlannedEdge[] =>
  Array.from({ length }, (_, n) => ({ id: `t${n}`, dependencies: n === 0 ? [] : [`t${n - 1}`] }));

const join = (width: number): PlannedEdge[] => {
  const middle = Array.from({ length: width }, (_, n) => `m${n}`);
  return [
    { id: 'first', dependencies: [] },
    ...middle.map((id) => ({ id, dependencies: ['first'] })),
    { id: 'last', dependencies: middle },
  ];
};

const diamonds = (count_: number): PlannedEdge[] =>
  Array.from({ length: count_ }, (_, n) => [
    { id: `top${n}`, dependencies: n === 0 ? [] : [`end${n - 1}`] },
    { id: `left${n}`, dependencies: [`top${n}`] },
    { id: `right${n}`, dependencies: [`top${n}`] },
    { id: `end${n}`, dependencies: [`left${n}`, `right${n}`] },
  ]).flat();

const fan = (width: number): PlannedEdge[] => join(width).slice(0, -1);

describe('the cost contract of a function-lane task', () => {
  let platform: Platform | undefined;
  afterEach(async () => {
    await platform?.stop();
  });

  async function measure(tasks: PlannedEdge[]): Promise<{ bill: Bill; run: Run }> {
    const bill: Bill = { taskWrites: 0, runWrites: 0, reads: 0, counts: 0, messages: {}, conflicts: 0 };
    platform = await startPlatform({
      work: () => Promise.resolve({ outcome: 'succeeded', summary: 'done' }),
      decorate: count(bill),
      env: { PENSTOCK_MAX_PLAN_TASKS: '202', PENSTOCK_SWEEP_SECONDS: '600' },
    });
    const plan = {
      tasks: tasks.map((task) => ({ ...task, agent: 'technical_writer', instructions: 'Nothing.' })),
    };
    const { status, body } = await platform.post('/api/requirements', { requirement: 'Count.', plan });
    expect(status).toBe(202);
    const run = await waitForEnd(platform, String(body['runId']));
    await platform.host.runtime.queue.idle();
    return { bill, run };
  }

  /** Reads below the counters. */
  async function waitForEnd({ host }: Platform, id: string): Promise<Run> {
    const deadline = Date.now() + 20_000;
    while (Date.now() < deadline) {
      const run = (await host.runtime.store.get(refs.run(TENANT, id)))?.data;
      if (run !== undefined && isTerminal(run.stage)) return run;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    throw new Error(`run ${id} did not end`);
  }

  it.each([
    ['a 200-way join', join(200)],
    ['a chain of 20', chain(20)],
    ['five diamonds in a row', diamonds(5)],
    ['a fan of 200 ends', fan(200)],
  ])('holds on %s', async (_name, tasks) => {
    const { bill, run } = await measure(tasks);
    const n = tasks.length;
    const edges = tasks.reduce((sum, task) => sum + task.dependencies.length, 0);
    const waitedFor = new Set(tasks.flatMap(({ dependencies }) => dependencies));
    const sinks = n - waitedFor.size;
    const joins = tasks.map(({ dependencies }) => dependencies.length).filter((width) => width > 1);
    const together = [...joins, sinks].reduce((sum, width) => sum + Math.min(width, AT_ONCE), 0);
    expect(run.stage).toBe('succeeded');
    expect(bill.messages).toEqual({ 'run-accepted': 1, 'task-dispatched': n, 'task-finished': n });
    expect({ taskWrites: bill.taskWrites, runWrites: bill.runWrites, conflicts: bill.conflicts }).toEqual({
      taskWrites: 3 * n,
      runWrites: RUN_WRITES,
      conflicts: 0,
    });
    expect(bill.reads).toBeLessThanOrEqual(3 * n + RUN_READS + (sinks > 1 ? sinks : 0));
    expect(bill.counts).toBeGreaterThanOrEqual(edges + sinks);
    expect(bill.counts).toBeLessThanOrEqual(edges + sinks + HAND_OVER_COUNTS * together);
  });
});
