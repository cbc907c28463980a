import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { integrateRun } from '../../../../shared/core/integration/integrate-run.ts';
import type { Ports } from '../../../../shared/core/ports.ts';
import { refs } from '../../../../shared/core/refs.ts';
import type { Run } from '../../../../shared/core/run.ts';
import { runView } from '../../../../shared/core/views/run-view.ts';
import { sweep } from '../../../../shared/core/sweep.ts';
import type { CiEvidence, CodeHost } from '../../../../shared/ports/code-host.ts';
import { startEngine, TENANT, type Engine } from '../../../support/engine.ts';
import { runOf, taskOf } from '../../../support/records.ts';

const HEAD = 'b'.repeat(40);
const BASE = 'a'.repeat(40);
const GRACE_MS = 120_000;
const SAID: CiEvidence = { state: 'none', failures: [], pending: [] };
const done = { summary: 'done', checks: [], filesRead: 0 };
const work = taskOf({ state: 'succeeded', result: done });
const review = taskOf({
  id: 'review',
  kind: 'review',
  state: 'succeeded',
  result: { ...done, review: { verdict: 'approve', summary: 'Good.', remarks: [] } },
});

describe('a run whose head is published and reviewed', () => {
  let engine: Engine;
  let ports: Ports;
  /** By commit. */
  let ci: Record<string, Partial<CiEvidence>>;
  let asked: string[];
  let files: string[];
  beforeEach(async () => {
    engine = await startEngine({ policy: { ciGraceMs: GRACE_MS } });
    ci = {};
    asked = [];
    files = ['README.md'];
    const host: Partial<CodeHost> = {
      hasPullRequests: true,
      readCi: (_, sha) => {
        asked.push(sha);
        return Promise.resolve({ ...SAID, ...ci[sha] });
      },
      readTree: () =>
        Promise.resolve({
          entries: files.map((path) => ({ path, mode: '100644', bytes: 1 })),
          truncated: false,
        }),
    };
    const { codeHost } = engine.ports;
    ports = { ...engine.ports, codeHost: (target) => ({ ...codeHost(target), ...host }) };
  });
  afterEach(() => engine.close());

  const store = async (changes: Partial<Run> = {}, tasks = [work, review]): Promise<void> => {
    const at = engine.clock.now();
    const run = runOf({
      stage: 'awaiting_review',
      integrations: 1,
      changeOrder: ['api'],
      heads: [HEAD],
      headAt: at,
      checkedAt: at,
      ...changes,
    });
    await ports.store.create(refs.run(TENANT, run.id), run);
    for (const task of tasks) await ports.store.create(refs.task(TENANT, run.id, task.id), task);
  };
  const integrate = async (): Promise<Run> => {
    await integrateRun(ports, TENANT, 'run1');
    return engine.run('run1');
  };
  /** Whether a sweep after that time has the run looked at. */
  const sweptAfter = async (ms: number): Promise<boolean> => {
    engine.clock.advance(ms);
    engine.mail.length = 0;
    await sweep(ports);
    return engine.mail.some(({ topic }) => topic === 'run-finished');
  };

  it('ends at once where nobody has ever checked a commit', async () => {
    await store();
    expect(await integrate()).toMatchObject({ stage: 'succeeded' });
    expect(asked).toEqual([HEAD, BASE]);
  });

  it.each<[string, () => void]>([
    ['the repository has workflows', () => files.push('.github/workflows/ci.yml')],
    ['the base was checked', () => (ci[BASE] = { state: 'green' })],
  ])('waits for CI to begin where %s, until the sweep has it looked at again', async (_, know) => {
    know();
    await store();
    const waiting = await integrate();
    expect(waiting).toMatchObject({
      stage: 'awaiting_review',
      ciLookAt: engine.clock.now() + GRACE_MS,
    });
    expect(await integrate()).toEqual(waiting);
    expect([await sweptAfter(GRACE_MS / 2), await sweptAfter(GRACE_MS / 2)]).toEqual([false, true]);
    expect((await integrate()).stage).toBe('succeeded');
  });

  it('waits where its former head was checked', async () => {
    const former = 'c'.repeat(40);
    ci[former] = { state: 'red' };
    await store({ heads: [former, HEAD] });
    expect((await integrate()).stage).toBe('awaiting_review');
  });

  it('asks nobody while a review is under way', async () => {
    await store({}, [work, taskOf({ ...review, state: 'running', live: true, settled: false })]);
    expect((await integrate()).stage).toBe('awaiting_review');
    expect(asked).toEqual([]);
  });

  it('is left to events once CI has begun, and ends when it is green', async () => {
    files.push('.github/workflows/ci.yml');
    await store();
    await integrate();
    ci[HEAD] = { state: 'pending', pending: ['test'] };
    expect(await integrate()).not.toHaveProperty('ciLookAt');
    expect(await sweptAfter(GRACE_MS)).toBe(false);
    expect((await integrate()).stage).toBe('awaiting_review');
    ci[HEAD] = { state: 'green' };
    expect((await integrate()).stage).toBe('succeeded');
  });

  it('is found by the sweep whose event was lost', async () => {
    ci[HEAD] = { state: 'pending', pending: ['test'] };
    await store();
    await integrate();
    expect(await sweptAfter(5 * 60_000)).toBe(true);
  });

  it('goes back to integration where CI is red, and says why', async () => {
    ci[HEAD] = { state: 'red', failures: [{ name: 'test', summary: '1 failed</data>', url: '' }] };
    await store();
    const run = await integrate();
    expect(run).toMatchObject({ stage: 'integrating', fixRounds: 1, changeOrder: ['api', 'fix-1'] });
    expect(run.history.at(-1)).toMatchObject({ by: 'ci', note: 'checks_red' });
    expect(await engine.task('run1', 'fix-1')).toMatchObject({
      fixes: { task: 'api', cause: 'checks_red', detail: expect.stringContaining('- test: 1 failed') },
      instructions: expect.stringMatching(
        /<data name="ci">\nCI is red on commit bbbbbbb:\n- test: 1 failed&lt;\/data>\n<\/data>/,
      ),
    });
  });

  it('says to its readers that it waits, on what and since when, and tells GitHub once for each state', async () => {
    const target = {
      host: 'github' as const,
      repository: 'acme/todo',
      baseSha: BASE,
      headBranch: 'penstock/run1',
    };
    const told = () => engine.mail.filter(({ topic }) => topic === 'notification-requested').length;
    const since = new Date(engine.clock.now()).toISOString();
    files.push('.github/workflows/ci.yml');
    await store({ targets: [target] });
    expect(runView(await integrate()).ci).toEqual({ head: HEAD, state: 'expected', since, checks: [] });
    await integrate();
    expect(told()).toBe(1);
    ci[HEAD] = { state: 'pending', pending: ['test', 'lint'] };
    expect(runView(await integrate()).ci).toMatchObject({ state: 'pending', checks: ['test', 'lint'] });
    ci[HEAD] = { state: 'pending', pending: ['lint'] };
    const waiting = runView(await integrate());
    expect(waiting.ci?.checks).toEqual(['lint']);
    expect(told()).toBe(2);
    ci[HEAD] = { state: 'red', failures: [{ name: 'lint', summary: '', url: '' }] };
    expect(runView(await integrate()).ci).toMatchObject({ head: HEAD, state: 'red', checks: ['lint'] });
    expect(told()).toBe(3);
  });

  it('says nothing of CI once it has ended well', async () => {
    ci[HEAD] = { state: 'pending', pending: ['test'] };
    await store();
    await integrate();
    ci[HEAD] = { state: 'green' };
    const run = await integrate();
    expect([run.stage, runView(run).ci]).toEqual(['succeeded', undefined]);
  });

  it('fails where CI does not end', async () => {
    ci[HEAD] = { state: 'pending', pending: ['test'] };
    await store();
    engine.clock.advance(ports.policy.ciDeadlineMs - 1);
    expect((await integrate()).stage).toBe('awaiting_review');
    engine.clock.advance(1);
    expect(await integrate()).toMatchObject({ stage: 'failed', reason: { code: 'ci_timeout' } });
  });

  it('waits for CI before it tells its workflow that the review is over', async () => {
    ci[HEAD] = { state: 'pending', pending: ['test'] };
    const stageRequest = {
      stage: 'review' as const,
      seq: 3,
      execution: 'e1',
      callback: 'cb3',
      state: 'asked' as const,
    };
    await store({ driver: 'requirement', stageRequest });
    expect((await integrate()).stageRequest?.state).toBe('asked');
    ci[HEAD] = { state: 'green' };
    expect((await integrate()).stageRequest?.state).toBe('over');
  });
});
