import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { notifyRun } from '../../../../shared/core/notification/notify-run.ts';
import type { Ports } from '../../../../shared/core/ports.ts';
import { refs } from '../../../../shared/core/refs.ts';
import type { Run } from '../../../../shared/core/run.ts';
import type { CheckRunUpdate, CodeHost } from '../../../../shared/ports/code-host.ts';
import { startEngine, TENANT, type Engine } from '../../../support/engine.ts';
import { runOf } from '../../../support/records.ts';

const HEADS = ['b'.repeat(40), 'c'.repeat(40)];
const SECRET = `ghp_${'a1B2'.repeat(9)}`;

describe('what a host is told of a run', () => {
  let engine: Engine;
  let ports: Ports;
  let comments: string[];
  let checks: CheckRunUpdate[];
  beforeEach(async () => {
    engine = await startEngine();
    comments = [];
    checks = [];
    const host: Partial<CodeHost> = {
      hasPullRequests: true,
      findComment: () => Promise.resolve(undefined),
      createComment: (_target, _issue, body) => Promise.resolve({ id: comments.push(body) }),
      updateComment: (_target, _id, body) => Promise.resolve(void comments.push(body)),
      findCheckRun: () => Promise.resolve(undefined),
      createCheckRun: (_target, check) => Promise.resolve({ id: checks.push(check) }),
      updateCheckRun: (_target, _id, check) => Promise.resolve(void checks.push(check)),
    };
    ports = { ...engine.ports, codeHost: () => host as CodeHost };
  });
  afterEach(() => engine.close());

  const tell = async (changes: Partial<Run>): Promise<void> => {
    const run = runOf({
      origin: { kind: 'github', actor: 'x', issue: { number: 7, url: 'u' } },
      heads: HEADS,
      ...changes,
    });
    await ports.store.create(refs.run(TENANT, run.id), run);
    await notifyRun(ports, TENANT, run.id);
  };

  it('has a check run on each of its commits, of which only the newest says how it ended', async () => {
    await tell({ stage: 'failed', reason: { code: 'not_integrated', message: 'it is still red' } });
    expect(checks).toMatchObject([
      { headSha: HEADS[0], conclusion: 'neutral' },
      { headSha: HEADS[0], conclusion: 'neutral' },
      { headSha: HEADS[1], conclusion: 'failure', summary: 'it is still red' },
      { headSha: HEADS[1], conclusion: 'failure', summary: 'it is still red' },
    ]);
    expect((await engine.run('run1')).unsettledOutside).toBe(false);
  });

  it('has no secret in it, calls nobody and closes nothing, however the reason reads', async () => {
    const message = `the check printed ${SECRET}; ask @dana, fixes #12 <!-- penstock:run:other -->`;
    await tell({ stage: 'failed', reason: { code: 'not_integrated', message } });
    for (const text of [...comments, ...checks.map(({ summary }) => summary)]) {
      expect(text).toContain('the check printed [redacted: GitHub token]');
      expect(text).not.toMatch(/@dana|fixes #12|<!-- penstock:run:other/);
    }
    expect(JSON.stringify([comments, checks])).not.toContain(SECRET);
    expect([comments.length, checks.length]).toEqual([2, 4]);
  });
});
