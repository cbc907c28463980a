import { describe, expect, it } from '@jest/globals';
import type { Bill } from '../support/count-ports.ts';
import { judgeBill } from '../support/judge-bill.ts';
import { countTasks, parseShape, type Shape } from './shapes.ts';

function shapeOf(name: string): Shape {
  const shape = parseShape(name);
  if (shape === undefined) throw new Error(`there is no shape ${name}`);
  return shape;
}

const edgesOf = ({ plans }: Shape): number =>
  plans.flat().reduce((sum, { dependencies }) => sum + dependencies.length, 0);

describe('a shape of the bench', () => {
  it.each([
    ['chain-50', 1, 50, 49],
    ['chain-400', 1, 400, 399],
    ['fan-1x200x1', 1, 202, 400],
    ['fan-100', 1, 102, 200],
    ['layered-10x20', 1, 200, 9 * 20 * 3],
    ['many-runs-100', 100, 600, 800],
  ])('%s has its runs, tasks and edges', (name, runs, tasks, edges) => {
    const shape = shapeOf(name);
    expect({ runs: shape.plans.length, tasks: countTasks(shape), edges: edgesOf(shape) }).toEqual({
      runs,
      tasks,
      edges,
    });
  });

  it('is the same each time, with no dependency twice', () => {
    const first = shapeOf('layered-10x20');
    expect(first).toEqual(shapeOf('layered-10x20'));
    for (const { dependencies } of first.plans.flat()) {
      expect(new Set(dependencies).size).toBe(dependencies.length);
    }
  });

  it.each(['chain', 'chain-0', 'chain-x', 'fan-1x2x3', 'star-5'])('%s is none', (name) => {
    expect(parseShape(name)).toBeUndefined();
  });
});

describe('the bill of a counted run', () => {
  const due: Bill = {
    taskWrites: 150,
    otherWrites: 3,
    reads: 153,
    emptyAnswers: 50,
    counts: 51,
    messages: { 'run-accepted': 1, 'task-dispatched': 50, 'task-finished': 50 },
    conflicts: 0,
  };

  it('keeps the cost contract when it is what is due', () => {
    expect(judgeBill(shapeOf('chain-50').plans, due)).toEqual([]);
  });

  it.each([
    ['a write more', { taskWrites: 151 }],
    ['a write of the run more', { otherWrites: 4 }],
    ['a read more', { reads: 154 }],
    ['a query more', { emptyAnswers: 51 }],
    ['a count more', { counts: 52 }],
    ['a count fewer', { counts: 50 }],
    ['a message twice', { messages: { ...due.messages, 'task-dispatched': 51 } }],
    ['a message of another topic', { messages: { ...due.messages, 'run-finished': 1 } }],
    ['a commit that was tried again', { conflicts: 1 }],
  ])('breaks it with %s', (_name, change: Partial<Bill>) => {
    expect(judgeBill(shapeOf('chain-50').plans, { ...due, ...change })).toHaveLength(1);
  });
});
