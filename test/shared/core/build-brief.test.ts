import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { buildBrief } from '../../../shared/core/build-brief.ts';
import { blobKeys } from '../../../shared/core/refs.ts';
import type { TaskAttempt } from '../../../shared/core/task.ts';
import type { FailureCode } from '../../../shared/messages/attempt-api.ts';
import { classOf } from '../../../shared/core/failure.ts';
import { startEngine, TENANT, type Engine } from '../../support/engine.ts';
import { attemptOf, runOf, taskOf } from '../../support/records.ts';

describe('what an attempt is told of those before it', () => {
  let engine: Engine;
  beforeEach(async () => {
    engine = await startEngine();
  });
  afterEach(() => engine.close());

  /** Each ended attempt has a transcript of its own. */
  async function briefAfter(...codes: FailureCode[]) {
    const attempts: TaskAttempt[] = codes.map((code, index) => {
      const outcome = code === 'lost' ? ('lost' as const) : ('failed' as const);
      const exit = { outcome, code, class: classOf(code), message: `${code} happened` };
      return attemptOf({ generation: index + 1, exit });
    });
    for (const { generation } of attempts)
      await engine.ports.blobs.put(blobKeys.transcript(TENANT, 'run1', 'api', generation, 0), '{}\n');
    const generation = attempts.length + 1;
    const task = taskOf({
      state: 'running',
      attempts: [...attempts, attemptOf({ generation })],
      lane: 'function',
    });
    const fence = { tenant: TENANT, run: 'run1', task: 'api', generation, claimId: 'c' };
    return buildBrief(engine.ports, fence, task, runOf({ targets: [] }));
  }

  it('goes on where the last one ran out of money, which was no failure of its own', async () => {
    const brief = await briefAfter('budget');
    expect(brief.resume).toMatchObject({ generation: 1, transcriptUrls: [expect.any(String)] });
    expect(brief.previousFailure).toBeUndefined();
  });

  it('goes on through all that were lost or ran out of money since the last failure', async () => {
    const brief = await briefAfter('checks_red', 'lost', 'budget');
    expect(brief.resume?.generation).toBe(3);
    expect(brief.resume?.transcriptUrls).toHaveLength(2);
  });

  it('starts clean after a failure of its own, and is told of it', async () => {
    const brief = await briefAfter('budget', 'checks_red');
    expect(brief.resume).toBeUndefined();
    expect(brief.previousFailure).toBe('checks_red: checks_red happened');
  });
});
