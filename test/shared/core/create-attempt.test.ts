import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { buildBrief } from '../../../shared/core/build-brief.ts';
import { claimTask } from '../../../shared/core/claim-task.ts';
import { createAttempt, finishJob } from '../../../shared/core/create-attempt.ts';
import type { Fence } from '../../../shared/core/fence.ts';
import { refs } from '../../../shared/core/refs.ts';
import { attemptContract } from '../../contract/attempt-contract.ts';
import { type AttemptWorld, type OpenAttempt, openAttemptWorld } from '../../contract/attempt-world.ts';

let fence: Fence;

const openInProcess: OpenAttempt = async ({ ports, hint }) => {
  const claim = await claimTask(ports, hint);
  if (claim.outcome !== 'mine') throw new Error(`the task was not claimed: ${claim.outcome}`);
  ({ fence } = claim);
  const run = (await ports.store.get(refs.run(hint.tenant, hint.run)))?.data;
  const brief = await buildBrief(ports, fence, claim.task, run);
  return { attempt: createAttempt(ports, fence, brief), close: () => Promise.resolve() };
};

attemptContract('in the process of the platform', openInProcess);

describe('An attempt in the process of the platform', () => {
  let world: AttemptWorld;
  beforeEach(async () => {
    world = await openAttemptWorld(openInProcess);
  });
  afterEach(() => world.close());

  it('has no workspace, so there is nothing to fetch or upload', async () => {
    await expect(world.attempt.fetch('http://127.0.0.1:9/blobs/x')).rejects.toMatchObject({
      code: 'invalid',
    });
    await expect(world.attempt.upload('http://127.0.0.1:9/blobs/x', new Uint8Array())).rejects.toMatchObject({
      code: 'invalid',
    });
  });

  it('finishes with a result of the right shape only', async () => {
    await expect((async () => world.attempt.finish({ outcome: 'succeeded', summary: '' }))()).rejects.toThrow(
      'summary',
    );
    expect((await world.task()).state).toBe('running');
  });

  it('is not ended, and its output not replaced, by whoever only guesses its claim', async () => {
    const guessed = { ...fence, claimId: 'guessed' };
    const forged = { outcome: 'succeeded' as const, summary: 'forged', output: 'forged' };
    const key = `${fence.tenant}/artifacts/${fence.run}/${fence.task}/1/output.txt`;
    expect(await finishJob(world.engine.ports, guessed, forged)).toBe('stale');
    expect(await world.blob(key)).toBeUndefined();
    await world.attempt.finish({ outcome: 'succeeded', summary: 'done', output: 'mine' });
    expect(await finishJob(world.engine.ports, guessed, forged)).toBe('stale');
    expect(await world.blob(key)).toBe('mine');
  });
});
