import { describe, expect, it } from '@jest/globals';
import type { Task } from '../../../../shared/core/task.ts';
import { layoutGraph } from '../../../../shared/core/views/graph-layout.ts';

function task(id: string, dependencies: string[] = [], more: Partial<Task> = {}): Task {
  return { id, kind: 'work', dependencies, dependants: [], createdAt: 1, ...more } as Task;
}

function columns(tasks: Task[]): string[][] {
  const result: string[][] = [];
  for (const { task: placed, column } of layoutGraph(tasks).nodes) (result[column] ??= []).push(placed.id);
  return result;
}

describe('the picture of a run', () => {
  it('puts a task right of all its dependencies', () => {
    const tasks = [
      task('docs', ['api', 'store']),
      task('api', ['design']),
      task('store', ['design']),
      task('design'),
    ];
    expect(columns(tasks)).toEqual([['design'], ['api', 'store'], ['docs']]);
  });

  it('begins with planning and ends with the rounds of integration and review by time', () => {
    const tasks = [
      task('integrate-2', [], { kind: 'integrate', createdAt: 30 }),
      task('review', [], { kind: 'review', createdAt: 40 }),
      task('audit', [], { kind: 'review', createdAt: 40 }),
      task('integrate-1', [], { kind: 'integrate', createdAt: 10 }),
      task('fix-1', [], { kind: 'fix', createdAt: 20 }),
      task('api'),
      task('plan', [], { kind: 'plan' }),
    ];
    expect(columns(tasks)).toEqual([
      ['plan'],
      ['api'],
      ['integrate-1'],
      ['fix-1'],
      ['integrate-2'],
      ['review', 'audit'],
    ]);
    const { edges } = layoutGraph(tasks);
    expect(edges.map(({ from, to }) => `${from.task.id} ${to.task.id}`)).toEqual([
      'plan api',
      'api integrate-1',
      'integrate-1 fix-1',
      'fix-1 integrate-2',
      'integrate-2 review',
      'integrate-2 audit',
    ]);
  });

  it('shows every task, also those of a cycle that should not be', () => {
    expect(
      columns([task('a', ['b']), task('b', ['a']), task('c')])
        .flat()
        .toSorted(),
    ).toEqual(['a', 'b', 'c']);
  });
});
