import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { integration } from '../../../functions/integration/integration.ts';
import { refs } from '../../../shared/core/refs.ts';
import {
  type Door,
  type FunctionRuntime,
  openMessageDoor,
  openRuntime,
} from '../../runtime/function-door.ts';
import { messageDoor } from '../../runtime/message-door.ts';
import { pushMessage } from '../../runtime/push-message.ts';
import { executingRun, readRun, readTask, TENANT } from '../../runtime/seed.ts';

messageDoor(integration, { v: 1, tenant: 'local', run: 'gone1234' });

describe('Integration', () => {
  let runtime: FunctionRuntime;
  let door: Door;
  beforeEach(async () => {
    runtime = await openRuntime();
    door = await openMessageDoor(integration, runtime);
  });
  afterEach(async () => {
    await door.close();
    await runtime.remove();
  });
  const push = (run: string) => pushMessage(door.url, 'run-finished', { v: 1, tenant: TENANT, run });

  /** A run whose work has ended with a change set. */
  async function integratingRun(): Promise<string> {
    const run = await executingRun(runtime);
    const target = {
      host: 'local-git' as const,
      repository: '/nowhere',
      baseSha: 'a'.repeat(40),
      headBranch: `penstock/${run.id}`,
    };
    const data = { ...run, stage: 'integrating' as const, targets: [target], changeOrder: ['first'] };
    const done = await Promise.all(['first', 'second'].map((id) => readTask(runtime, run.id, id)));
    await runtime.store.commit([
      { op: 'set', ref: refs.run(TENANT, run.id), data },
      ...done.map((task) => ({
        op: 'set' as const,
        ref: refs.task(TENANT, run.id, task.id),
        data: { ...task, state: 'succeeded' as const, settled: true, live: false },
      })),
    ]);
    return run.id;
  }

  it('asks for an integrate attempt in the job lane', async () => {
    const id = await integratingRun();
    expect(await push(id)).toBe(204);
    expect(await readTask(runtime, id, 'integrate-1')).toMatchObject({
      kind: 'integrate',
      lane: 'job',
      agent: 'integrator',
      state: 'pending',
    });
    expect(runtime.published.at(-1)).toMatchObject({
      topic: 'task-dispatched',
      message: { task: 'integrate-1' },
    });
  });

  it('asks for one only, however often its message comes at once', async () => {
    const id = await integratingRun();
    const statuses = await Promise.all(Array.from({ length: 8 }, () => push(id)));
    // A message that lost the race is delivered again, and then finds everything done.
    expect(statuses.every((status) => status === 204 || status >= 500)).toBe(true);
    expect((await readRun(runtime, id)).integrations).toBe(1);
    expect(await push(id)).toBe(204);
    expect((await readRun(runtime, id)).integrations).toBe(1);
  });

  it('leaves a run alone that is not at that stage', async () => {
    const { id } = await executingRun(runtime);
    const before = await readRun(runtime, id);
    expect(await push(id)).toBe(204);
    expect(await readRun(runtime, id)).toEqual(before);
  });
});
