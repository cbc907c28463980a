import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { WorkflowRequest, WorkflowStarter } from '../../shared/ports/workflow-starter.ts';

export interface WorkflowStarterUnderTest {
  starter: WorkflowStarter;
  /** What every execution was really started with, oldest first. */
  arguments: () => Promise<unknown[]>;
  /** Makes a running execution come to its end. */
  end: (id: string, how: 'succeeded' | 'failed') => Promise<void>;
  close: () => Promise<void>;
}

/** For the workflow `requirement`, which every starter under test has. */
export function aWorkflow(more: Partial<WorkflowRequest['argument']> = {}): WorkflowRequest {
  return { workflow: 'requirement', argument: { tenant: 'local', run: 'r1234567', ...more } };
}

/** What every starter of workflows does. */
export function workflowStarterContract(name: string, make: () => Promise<WorkflowStarterUnderTest>): void {
  describe(`${name} as a starter of workflows`, () => {
    let world: WorkflowStarterUnderTest;
    beforeEach(async () => {
      world = await make();
    });
    afterEach(() => world.close());

    it('starts an execution with its argument', async () => {
      const request = aWorkflow({ note: 'grün "quoted" \\ 漢字', nested: { list: [1, null, true] } });
      const execution = await world.starter.start(request);
      expect(execution).toEqual({ workflow: 'requirement', id: expect.stringMatching(/^[\w-]+$/) });
      expect(await world.arguments()).toEqual([request.argument]);
    });

    it('says of each execution where it stands', async () => {
      const { starter } = world;
      const [running, good, bad] = await Promise.all(
        ['r1', 'r2', 'r3'].map((run) => starter.start(aWorkflow({ run }))),
      );
      if (running === undefined || good === undefined || bad === undefined) throw new Error('not started');
      await world.end(good.id, 'succeeded');
      await world.end(bad.id, 'failed');
      expect(await starter.state(running)).toBe('active');
      expect(await starter.state(good)).toBe('succeeded');
      expect(await starter.state(bad)).toBe('failed');
    });

    it('cancels the one execution that it is told, however often', async () => {
      const { starter } = world;
      const first = await starter.start(aWorkflow({ run: 'r1' }));
      const second = await starter.start(aWorkflow({ run: 'r2' }));
      await Promise.all([starter.cancel(first), starter.cancel(first)]);
      await starter.cancel(first);
      expect(await starter.state(first)).toBe('cancelled');
      expect(await starter.state(second)).toBe('active');
    });

    it('leaves what has ended as it ended', async () => {
      const { starter } = world;
      const execution = await starter.start(aWorkflow());
      await world.end(execution.id, 'succeeded');
      await starter.cancel(execution);
      expect(await starter.state(execution)).toBe('succeeded');
    });

    it('takes it that an execution is unknown', async () => {
      const unknown = { workflow: 'requirement', id: 'no-such-execution' };
      await expect(world.starter.cancel(unknown)).resolves.toBeUndefined();
      expect(await world.starter.state(unknown)).toBe('unavailable');
    });

    it('says that there is no such workflow, and that a later try will not help', async () => {
      const start = world.starter.start({ ...aWorkflow(), workflow: 'no-such-workflow' });
      await expect(start).rejects.toMatchObject({ name: 'PenstockError', code: 'config', retry: 'never' });
      await expect(start).rejects.toThrow(/no-such-workflow/);
    });

    it('refuses an argument of more than 32 KB, and names its run', async () => {
      const start = world.starter.start(aWorkflow({ text: 'x'.repeat(33_000) }));
      await expect(start).rejects.toMatchObject({ name: 'PenstockError', code: 'too_large', retry: 'never' });
      await expect(start).rejects.toThrow(/r1234567/);
      expect(await world.arguments()).toEqual([]);
    });
  });
}
