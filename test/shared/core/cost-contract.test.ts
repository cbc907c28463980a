import { afterEach, describe, expect, it } from '@jest/globals';
import type { Ports } from '../../../shared/core/ports.ts';
import { refs } from '../../../shared/core/refs.ts';
import { isTerminal, type Run } from '../../../shared/core/run.ts';
import { type Bill, countPorts, emptyBill } from '../../support/count-ports.ts';
import { judgeBill } from '../../support/judge-bill.ts';
import { startPlatform, TENANT, type Platform } from '../../support/platform.ts';

interface PlannedEdge {
  id: string;
  dependencies: string[];
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
  let uncounted: Pick<Ports, 'store'>;
  afterEach(async () => {
    await platform?.stop();
  });

  async function measure(tasks: PlannedEdge[]): Promise<{ bill: Bill; run: Run }> {
    const bill = emptyBill();
    const count = countPorts(bill);
    platform = await startPlatform({
      work: () => Promise.resolve({ outcome: 'succeeded', summary: 'done' }),
      decorate: (ports) => {
        uncounted = ports;
        return count(ports);
      },
      env: { PENSTOCK_MAX_PLAN_TASKS: '202', PENSTOCK_SWEEP_SECONDS: '600' },
    });
    // What it looked for when it started is not the run's.
    Object.assign(bill, emptyBill());
    const plan = {
      tasks: tasks.map((task) => ({ ...task, agent: 'technical_writer', instructions: 'Nothing.' })),
    };
    const { status, body } = await platform.post('/api/requirements', { requirement: 'Count.', plan });
    expect(status).toBe(202);
    const run = await waitForEnd(String(body['runId']));
    await platform.settled();
    return { bill, run };
  }

  /** Reads below the counters. */
  async function waitForEnd(id: string): Promise<Run> {
    const deadline = Date.now() + 120_000;
    while (Date.now() < deadline) {
      const run = (await uncounted.store.get(refs.run(TENANT, id)))?.data;
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
    expect(run.stage).toBe('succeeded');
    expect(judgeBill([tasks], bill)).toEqual([]);
  });
});
