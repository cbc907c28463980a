import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { CrashPoint, RecordedCall } from '../support/crash/crash-point.ts';
import { type CrashRun, crashRun } from '../support/crash/crash-scenario.ts';
import { allPoints, type Sample, samplePoints } from '../support/crash/sample-points.ts';

/** Replays a choice of crashes; it is printed. */
const SEED = Number(process.env['PENSTOCK_SEED'] ?? Date.now() % 1_000_000);
/** How many calls of the recorded run; `all`: both sides of each, which takes more than an hour. */
const CRASHES = process.env['PENSTOCK_CRASHES'] ?? '16';
const AT_ONCE = 2;
const ONE_MS = 90_000;
const ALL_MS = 3 * 60 * 60_000;

/** Does `work` on all, `AT_ONCE` at a time, and goes on after a failure. */
async function onEach<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  const left = [...items];
  const worker = async (): Promise<void> => {
    for (let item = left.shift(); item !== undefined; item = left.shift()) await work(item);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
}

/** What breaks the judge itself is a problem of that crash, too. */
async function outcomeOf(
  point: CrashPoint,
  whole: CrashRun,
): Promise<Pick<CrashRun, 'problems' | 'facts' | 'crashed'>> {
  try {
    return await crashRun({ point, whole });
  } catch (error) {
    return {
      problems: [error instanceof Error ? (error.stack ?? error.message) : String(error)],
      facts: [],
      crashed: false,
    };
  }
}

function nameOf({ n, point }: Sample, total: number): string {
  return `call ${n} of ${total}: killed ${point.when} ${point.call} no. ${point.nth} of ${point.process}`;
}

describe(`a process that is killed at any call (PENSTOCK_SEED=${SEED})`, () => {
  let whole: CrashRun;

  beforeAll(async () => {
    whole = await crashRun();
  }, ONE_MS);

  it('has a scenario that ends well without a crash and passes through every port', () => {
    expect(whole).toMatchObject({ problems: [], crashed: false });
    const ports = whole.calls
      .filter(({ process: who }) => who === 'host')
      .map(({ call }) => call.split(/[. ]/)[0]);
    expect(new Set(ports)).toEqual(
      new Set(['store', 'queue', 'blobs', 'codeHost', 'model', 'jobs', 'GET', 'POST', 'PATCH']),
    );
  });

  describe(`with ${CRASHES} of its calls sampled`, () => {
    const failures: string[] = [];
    let crashed = 0;

    afterAll(() => {
      process.stderr.write(
        `crashes: PENSTOCK_SEED=${SEED}, ${CRASHES} of ${whole.calls.length} calls sampled, ${crashed} reached\n`,
      );
    });

    it(
      'leaves one branch, commit, pull request, comment and check run, and each model call charged once',
      async () => {
        const samples =
          CRASHES === 'all' ? allPoints(whole.calls) : samplePoints(whole.calls, Number(CRASHES), SEED);
        await onEach(samples, async (sample) => {
          const { problems, facts, crashed: died } = await outcomeOf(sample.point, whole);
          if (died) crashed += 1;
          if (problems.length > 0)
            failures.push([nameOf(sample, whole.calls.length), ...problems, ...facts].join('\n  '));
        });
        expect(failures).toEqual([]);
        // Timers make a run's calls differ a little from another's: a few points may not be reached.
        expect(crashed).toBeGreaterThan(samples.length * 0.7);
      },
      ALL_MS,
    );
  });

  it(
    'leaves two comments where the platform cannot look up what it did, and the judge sees it',
    async () => {
      const point: CrashPoint = { ...firstCall(whole.calls, 'codeHost.createComment'), when: 'after' };
      expect((await crashRun({ point, whole })).problems).toEqual([]);
      expect((await crashRun({ point, whole, isBlind: true })).problems).toContain(
        '2 comments of the App; one is due',
      );
    },
    2 * ONE_MS,
  );
});

function firstCall(calls: readonly RecordedCall[], call: string): RecordedCall {
  const found = calls.find((one) => one.call === call);
  if (found === undefined) throw new Error(`the run without a crash makes no ${call}`);
  return found;
}
