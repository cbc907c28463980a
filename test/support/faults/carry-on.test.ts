import { describe, expect, it } from '@jest/globals';
import { writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openSqliteDatabase } from '../../../shared/adapters/local/sqlite-database.ts';
import { createSqliteStore } from '../../../shared/adapters/local/sqlite-store.ts';
import { refs } from '../../../shared/core/refs.ts';
import type { Run } from '../../../shared/core/run.ts';
import { INDEXES } from '../../../shared/runtime/local.ts';
import { runOf } from '../records.ts';
import { carryOn } from './carry-on.ts';
import { readAhead } from './faulty-ports.ts';
import { createInjector } from './injector.ts';

const github = { deliveries: () => [], redeliver: () => undefined };

const POLLS_AT_WORK = 40;

/** A system that holds one run and does nothing but sweep; or one that calls a model for a while, and ends the run then. */
async function carried(
  run: Run,
  isIdle: boolean,
  { isAtWork = false, breaksSweep = 0 }: { isAtWork?: boolean; breaksSweep?: number } = {},
): Promise<{ problems: string[]; aheadMs: number }> {
  const folder = await mkdtemp(join(tmpdir(), 'penstock-carry-on-'));
  const database = openSqliteDatabase({ file: ':memory:' });
  const store = createSqliteStore({ database, indexes: INDEXES });
  await store.create(refs.run('local', run.id), run);
  let sweeps = 0;
  let polls = 0;
  const call = createInjector({ folder, faults: [] }, 'host');
  const work = async (): Promise<void> => {
    polls += 1;
    await call.around(isAtWork ? 'POST /v1/messages' : 'store.query', () => Promise.resolve());
    if (isAtWork && polls === POLLS_AT_WORK)
      await store.commit([
        { op: 'set', ref: refs.run('local', run.id), data: { ...run, stage: 'succeeded' } },
      ]);
  };
  const system = {
    revive: work,
    isIdle: () => Promise.resolve(isIdle),
    sweeps: () => {
      sweeps += 1;
      if (sweeps === breaksSweep) writeFileSync(join(folder, 'fired-0'), '');
      return sweeps;
    },
    records: () => store,
  };
  try {
    const patience = { pollMs: 1, stillMs: 5, stillAfterMs: 10, runMs: 60_000 };
    return { problems: await carryOn({ system, github, folder, patience }), aheadMs: readAhead(folder) };
  } finally {
    await store.close();
    database.close();
    await rm(folder, { recursive: true });
  }
}

describe('carrying a run on', () => {
  it('ends with a run that has ended, inside and outside, and left no message', async () => {
    expect(await carried(runOf({ stage: 'succeeded' }), true)).toEqual({ problems: [], aheadMs: 0 });
  });

  it('waits for one whose records stand still while something is asked for it', async () => {
    expect(await carried(runOf({ stage: 'executing' }), true, { isAtWork: true })).toEqual({
      problems: [],
      aheadMs: 0,
    });
  });

  it('sets the clocks ahead once more where a fault undid what a sweep did', async () => {
    const { problems, aheadMs } = await carried(runOf({ stage: 'executing' }), true, { breaksSweep: 2 });
    expect(problems).toEqual([expect.stringMatching(/^stuck: /)]);
    expect(aheadMs).toBeGreaterThan(10 * 60_000);
  });

  it.each([
    ['goes on without anything at work', runOf({ stage: 'executing' }), true],
    ['has not told its end outside', runOf({ stage: 'succeeded', unsettledOutside: true }), true],
    ['left a message that nobody takes', runOf({ stage: 'succeeded' }), false],
  ] as const)(
    'calls a run stuck that %s, when the clocks are ahead and two sweeps were made',
    async (_, run, idle) => {
      const { problems, aheadMs } = await carried(run, idle);
      expect(problems).toEqual([expect.stringMatching(/^stuck: 2 sweeps change nothing any more: /)]);
      expect(aheadMs).toBeGreaterThan(5 * 60_000);
    },
  );
});
