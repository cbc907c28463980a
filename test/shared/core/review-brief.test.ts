import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { buildBrief } from '../../../shared/core/build-brief.ts';
import { executeTask } from '../../../shared/core/execute-task.ts';
import type { OpenAttempt, Ports } from '../../../shared/core/ports.ts';
import { blobKeys, refs } from '../../../shared/core/refs.ts';
import type { Task } from '../../../shared/core/task.ts';
import type { CodeHost } from '../../../shared/ports/code-host.ts';
import { type Engine, startEngine, TENANT } from '../../support/engine.ts';
import { attemptOf, runOf, taskOf } from '../../support/records.ts';

const HEAD = 'b'.repeat(40);
const BASE = 'a'.repeat(40);
const done = (summary: string, changes: Partial<Task>): Task =>
  taskOf({ state: 'succeeded', result: { summary, checks: [], filesRead: 0 }, ...changes });
const review = taskOf({
  id: 'review',
  kind: 'review',
  agent: 'code_reviewer',
  lane: 'function',
  pool: 'assessment',
  acceptance: ['The change is safe to merge'],
});

describe('a review', () => {
  let engine: Engine;
  let ports: Ports;
  let read: string[];
  beforeEach(async () => {
    engine = await startEngine();
    read = [];
    const host: Partial<CodeHost> = {
      diff: (_, base, head) => Promise.resolve(`${base.slice(0, 1)}..${head.slice(0, 1)}`),
      readFile: (_, sha) => {
        read.push(sha);
        return Promise.resolve(new TextEncoder().encode('text'));
      },
    };
    const { codeHost, store } = engine.ports;
    ports = { ...engine.ports, codeHost: (target) => ({ ...codeHost(target), ...host }) };
    const outputKey = blobKeys.output(TENANT, 'run1', 'design', 1);
    await ports.blobs.put(outputKey, 'x'.repeat(50_000));
    const design = done('Two modules', {
      id: 'design',
      agent: 'project_architect',
      acceptance: ['Both sides agree'],
    });
    const tasks = [
      { ...design, result: { summary: 'Two modules', checks: [], filesRead: 0, outputKey } },
      done('Built', { acceptance: ['npm test passes', 'Both sides agree'], dependencies: ['design'] }),
      done('', { id: 'broken', state: 'failed', acceptance: ['Never mind'] }),
      review,
    ];
    await store.create(
      refs.run(TENANT, 'run1'),
      runOf({ stage: 'awaiting_review', heads: [HEAD], integrations: 1, changeOrder: ['api'] }),
    );
    for (const task of tasks) await store.create(refs.task(TENANT, 'run1', task.id), task);
  });
  afterEach(() => engine.close());

  it('is told by what all the work was to be judged, and what those who did it say', async () => {
    const task = { ...review, attempts: [attemptOf({ agent: 'code_reviewer' })] };
    const fence = { tenant: TENANT, run: 'run1', task: 'review', generation: 1, claimId: 'c' };
    const brief = await buildBrief(
      ports,
      fence,
      task,
      (await ports.store.get(refs.run(TENANT, 'run1')))?.data,
    );
    expect(brief.acceptance).toEqual(['The change is safe to merge', 'Both sides agree', 'npm test passes']);
    expect(brief.dependencies.map((one) => [one.task, one.summary, one.output.length])).toEqual([
      ['design', 'Two modules', 20_000],
      ['api', 'Built', 0],
    ]);
    expect(brief.diff).toBe('a..b');
  });

  it.each([
    ['review', HEAD],
    ['other', BASE],
  ])('reads the files of what is to be merged, and other work those of the base: %s', async (id, sha) => {
    await ports.store.create(
      refs.task(TENANT, 'run1', 'other'),
      taskOf({ id: 'other', agent: 'project_architect', lane: 'function', pool: 'core' }),
    );
    const work = async (open: () => Promise<OpenAttempt>) => {
      const { tools } = await open();
      await tools
        .find(({ spec }) => spec.name === 'read_file')
        ?.run({ path: 'a.ts' }, new AbortController().signal);
      return { outcome: 'succeeded' as const, summary: 'read' };
    };
    const hint = { v: 1 as const, tenant: TENANT, run: 'run1', task: id, generation: 1 };
    await executeTask({ ...ports, work }, hint);
    expect(read).toEqual([sha]);
  });
});
