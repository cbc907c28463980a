import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { buildBrief } from '../../../../shared/core/build-brief.ts';
import { withSubtasks } from '../../../../shared/core/delegation/with-subtasks.ts';
import { refs } from '../../../../shared/core/refs.ts';
import type { Task } from '../../../../shared/core/task.ts';
import { type Engine, startEngine, TENANT } from '../../../support/engine.ts';
import { attemptOf, runOf, taskOf } from '../../../support/records.ts';

const family = [
  taskOf({ id: 'base' }),
  taskOf({ id: 'api', dependencies: ['base'] }),
  taskOf({ id: 'api-s1', parent: 'api', depth: 1, dependencies: ['base'] }),
  taskOf({ id: 'api-s1-s1', parent: 'api-s1', depth: 2, dependencies: ['base'] }),
  taskOf({ id: 'docs', dependencies: ['api'] }),
];

describe('Tasks with what they delegated', () => {
  it('are followed down to the last subtask, and nothing beside them', () => {
    expect([...withSubtasks(family, ['api'])].toSorted()).toEqual(['api', 'api-s1', 'api-s1-s1']);
    expect([...withSubtasks(family, ['base', 'docs'])].toSorted()).toEqual(['base', 'docs']);
    expect(withSubtasks(family, [])).toEqual(new Set());
  });
});

describe('The workspace of a task', () => {
  let engine: Engine;
  beforeEach(async () => {
    engine = await startEngine();
    const changed = (task: Task): Task => ({
      ...task,
      state: 'succeeded',
      settled: true,
      live: false,
      result: {
        summary: `${task.id} is done`,
        checks: [],
        filesRead: 0,
        changeSet: { key: `sets/${task.id}.json`, sha256: '', files: 1, added: 1, deleted: 0 },
      },
    });
    for (const task of family.map(changed))
      await engine.ports.store.create(refs.task(TENANT, task.run, task.id), task);
  });
  afterEach(() => engine.close());

  const inputsOf = async (id: string) => {
    const [task] = family.filter((each) => each.id === id);
    if (task === undefined) throw new Error(`there is no ${id}`);
    const fence = { tenant: TENANT, run: task.run, task: id, generation: 1, claimId: 'c' };
    const held = { ...task, attempts: [attemptOf()] };
    const codeHost = (host: Parameters<typeof engine.ports.codeHost>[0]) => ({
      ...engine.ports.codeHost(host),
      cloneAccess: () => Promise.resolve({ url: 'file:///repo' }),
    });
    const brief = await buildBrief({ ...engine.ports, codeHost }, fence, held, runOf());
    return brief.inputs.map((input) => input.task);
  };

  it('behind one that delegated has the changes of its subtasks too, in the order of dependencies', async () => {
    expect(await inputsOf('docs')).toEqual(['base', 'api', 'api-s1', 'api-s1-s1']);
  });

  it('that is a subtask has what its parent has, and not what its parent is about to change', async () => {
    expect(await inputsOf('api-s1')).toEqual(['base']);
    expect(await inputsOf('api')).toEqual(['base']);
  });
});
