import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { sweep } from '../../shared/core/sweep.ts';
import { inProcess, patience } from '../support/platform.ts';
import { GREETING, greetingOf } from '../support/scripts/greeting.ts';
import { type IntegrationBench, startIntegrationBench, until } from '../support/scripts/integration-bench.ts';
import { plans, reviews, rewrites, scriptOf, writes } from '../support/scripts/turns.ts';

const itHere = inProcess(it, 'a deadline of CI that has passed');

/** Of several jobs one after the other, on a busy machine. */
jest.setTimeout(patience(300_000));

const FILES = { ...GREETING, '.github/workflows/ci.yml': 'on: push\n' };
const PLAN = { id: 'work', agent: 'backend_developer', instructions: 'Greet the world' };
const WORK = writes('backend_developer', 'work', greetingOf('hello wrold'));
const APPROVAL = reviews('review', 'approve', ['hello wrold']);

let bench: IntegrationBench;
afterEach(() => bench.stop());

/** The head of a round of integration, on which CI has begun, once its review is over. */
async function reviewedHead(run: string, round: number): Promise<string> {
  await until(`head ${round} is published`, async () => {
    const { heads, stage } = await bench.platform.run(run);
    return stage === 'awaiting_review' && heads.length === round;
  });
  const head = (await bench.platform.run(run)).heads.at(-1) ?? '';
  await check(head);
  const review = round === 1 ? 'review' : `review-${round}`;
  await until(`${review} is over`, async () => (await bench.task(run, review)).settled);
  await bench.platform.settled();
  return head;
}
const pullRequest = async () => (await bench.github.pullRequests(bench.repository))[0];
const check = (sha: string, conclusion?: 'success' | 'failure', summary = '') =>
  bench.github.check(bench.repository, {
    sha,
    name: 'test (node 24)',
    ...(conclusion === undefined ? {} : { conclusion, title: conclusion, summary }),
  });

describe('the CI of a repository, on the head of a pull request whose reviewer approves', () => {
  it('keeps it a draft until it is green: what is red is mended with what CI said, on the same branch', async () => {
    bench = await startIntegrationBench({
      files: FILES,
      script: scriptOf(
        plans(PLAN),
        WORK,
        APPROVAL,
        rewrites('backend_developer', 'fix-1', {
          told: ['CI is red on commit', 'test (node 24)', 'expected "world"'],
          reads: 'greeting.js',
          found: 'hello wrold',
          files: greetingOf('hello world'),
        }),
        reviews('review-2', 'approve', ["+export const greeting = 'hello world';"]),
      ),
    });
    const { runId } = await bench.openIssue('Greet the world');
    const first = await reviewedHead(runId, 1);
    expect(await pullRequest()).toMatchObject({ draft: true, head: { sha: first } });
    await check(first, 'failure', 'expected "world", got "wrold"');

    const second = await reviewedHead(runId, 2);
    expect(await pullRequest()).toMatchObject({ draft: true, head: { sha: second }, commits: 2 });
    await check(second, 'success');
    const ended = await bench.platform.ended(runId);
    expect(ended).toMatchObject({ stage: 'succeeded', fixRounds: 1, heads: [first, second] });
    expect(await bench.task(runId, 'fix-1')).toMatchObject({ fixes: { task: 'work', cause: 'checks_red' } });
    expect(await pullRequest()).toMatchObject({ draft: false });
    expect(bench.git('show', `${bench.branchOf(runId)}:greeting.js`)).toContain('hello world');
  });

  itHere('ends the run with what never ended, and leaves the draft', async () => {
    bench = await startIntegrationBench({
      files: FILES,
      script: scriptOf(WORK, APPROVAL),
      decorate: (ports) => ({ ...ports, policy: { ...ports.policy, ciDeadlineMs: 1 } }),
    });
    const run = await bench.submit([PLAN]);
    await reviewedHead(run, 1);
    const ended = await bench.platform.ended(run);
    expect(ended).toMatchObject({ stage: 'failed', reason: { code: 'ci_timeout' } });
    expect(ended.reason?.message).toContain('test (node 24)');
    expect(await pullRequest()).toMatchObject({ draft: true });
  });

  it('is found by the sweep when its event is lost', async () => {
    bench = await startIntegrationBench({ files: FILES, script: scriptOf(WORK, APPROVAL) });
    const run = await bench.submit([PLAN]);
    const head = await reviewedHead(run, 1);
    bench.github.setWebhookUrl(undefined);
    await check(head, 'success');
    await bench.platform.settled();
    expect((await bench.platform.run(run)).stage).toBe('awaiting_review');
    await sweep(bench.platform.ports, { runCheckMs: 0 });
    expect((await bench.platform.ended(run)).stage).toBe('succeeded');
    expect(await pullRequest()).toMatchObject({ draft: false });
  });
});
