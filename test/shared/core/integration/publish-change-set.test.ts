import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { createHash } from 'node:crypto';
import { execFileSync } from 'node:child_process';
import { claimJob } from '../../../../shared/core/claim-task.ts';
import { finishJob, propose } from '../../../../shared/core/create-attempt.ts';
import { decide } from '../../../../shared/core/decisions/decide.ts';
import { blobKeys, refs } from '../../../../shared/core/refs.ts';
import type { AttemptResultInput } from '../../../../shared/messages/attempt-api.ts';
import { startEngine, TENANT, type Engine } from '../../../support/engine.ts';
import { createSampleRepository, type SampleRepository } from '../../../support/sample-repository.ts';

const BASE = {
  'kept.txt': 'kept\n',
  'edited.txt': 'base\n',
  'deleted.txt': 'base\n',
  'gone.txt': 'base\n',
  'late.txt': 'base\n',
};
/** Path → new content, `null` for deleted. */
type Change = Record<string, string | null>;

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

/** A change set on the base commit, as the integrate job makes it. */
function bundleOf(baseSha: string, change: Change): Uint8Array {
  const base: Record<string, string> = BASE;
  const texts = Object.keys(change).flatMap((path) => [change[path] ?? [], base[path] ?? []].flat());
  const entries = Object.entries(change).map(([path, text]) => ({
    path,
    mode: text === null ? null : '100644',
    blob: text === null ? null : sha256(text),
    bytes: text?.length ?? 0,
    before: base[path] === undefined ? null : { mode: '100644', blob: sha256(base[path]) },
  }));
  const contents = Object.fromEntries(
    texts.map((text) => [sha256(text), Buffer.from(text).toString('base64')]),
  );
  return Buffer.from(
    JSON.stringify({ changeSet: { v: 1, baseSha, entries, added: 1, deleted: 1, checks: [] }, contents }),
  );
}

describe('publishing what was integrated', () => {
  let engine: Engine;
  let sample: SampleRepository;
  /** By task: what its job proposes, or how it fails. */
  let jobs: Record<string, Change | AttemptResultInput>;
  let verdicts: Record<string, 'approve' | 'request_changes'>;
  beforeEach(async () => {
    sample = createSampleRepository(BASE);
    jobs = {};
    verdicts = {};
    engine = await startEngine({
      play: (task) => ({
        outcome: 'succeeded',
        summary: 'judged',
        review: { verdict: verdicts[task] ?? 'approve', summary: 'so', remarks: [] },
      }),
    });
  });
  afterEach(async () => {
    await engine.close();
    sample.remove();
  });

  const git = (...args: string[]): string =>
    execFileSync('git', ['-c', 'user.name=Test', '-c', 'user.email=test@localhost', ...args], {
      cwd: sample.folder,
      encoding: 'utf8',
    }).trim();

  /** What the process of a job does, without the process. */
  async function playJob(ticket: string, task: string): Promise<void> {
    const claim = await claimJob(engine.ports, ticket);
    if (claim === undefined) throw new Error(`the ticket of ${task} is not taken`);
    const { fence } = claim;
    const plays = jobs[task];
    if (plays === undefined) throw new Error(`nobody expected ${task}`);
    if ('outcome' in plays) return void (await finishJob(engine.ports, fence, plays as AttemptResultInput));
    const key = blobKeys.upload(TENANT, fence.run, task, fence.generation, 'change-set', 0);
    await engine.ports.blobs.put(key, bundleOf(sample.baseSha, plays));
    await propose(engine.ports, fence, { kind: 'change-set', n: 0 });
    await finishJob(engine.ports, fence, { outcome: 'succeeded', summary: `did ${task}` });
  }

  async function runToEnd(): Promise<string> {
    const { id } = await engine.submit({
      title: 'Todos need a priority',
      target: { host: 'local-git', repository: sample.folder },
      plan: [{ id: 'api', agent: 'backend_developer', instructions: 'Do it.' }],
    });
    do {
      await engine.drain();
      for (const { ticket, task } of engine.jobs.starts.splice(0)) await playJob(ticket, task);
    } while (engine.mail.length > 0);
    return id;
  }

  it('is one commit on a branch of its own, and leaves the checkout alone', async () => {
    jobs = { api: { 'edited.txt': 'new\n' }, 'integrate-1': { 'edited.txt': 'new\n', 'added.txt': 'new\n' } };
    const id = await runToEnd();
    const run = await engine.run(id);
    expect(run).toMatchObject({ stage: 'succeeded', changeOrder: ['api'], diffStat: { files: 2 } });
    expect(git('rev-parse', `penstock/${id}`)).toBe(run.heads[0]);
    expect(git('rev-parse', `penstock/${id}^`)).toBe(sample.baseSha);
    expect(git('log', '-1', '--format=%B', `penstock/${id}`)).toMatch(
      new RegExp(`Penstock-Change: ${id}/integrate-1$`),
    );
    expect(git('diff', '--name-status', 'main', `penstock/${id}`)).toBe('A\tadded.txt\nM\tedited.txt');
    expect([git('status', '--porcelain'), git('branch', '--show-current')]).toEqual(['', 'main']);
  });

  it('is a second commit after a review, which takes back what only the first round had changed', async () => {
    verdicts = { review: 'request_changes' };
    jobs = {
      api: { 'edited.txt': 'new\n' },
      'integrate-1': { 'edited.txt': 'new\n', 'added.txt': 'new\n', 'deleted.txt': null, 'gone.txt': null },
      'fix-1': { 'late.txt': 'new\n' },
      'integrate-2': { 'late.txt': 'new\n', 'gone.txt': null, 'other.txt': 'new\n' },
    };
    const id = await runToEnd();
    const run = await engine.run(id);
    expect(run).toMatchObject({
      stage: 'succeeded',
      fixRounds: 1,
      integrations: 2,
      changeOrder: ['api', 'fix-1'],
    });
    expect(run.heads).toEqual([git('rev-parse', `penstock/${id}^`), git('rev-parse', `penstock/${id}`)]);
    expect(git('rev-parse', `penstock/${id}^^`)).toBe(sample.baseSha);
    // The tree is the base with the second round only.
    expect(git('diff', '--name-status', 'main', `penstock/${id}`).split('\n')).toEqual([
      'D\tgone.txt',
      'M\tlate.txt',
      'A\tother.txt',
    ]);
    expect(git('show', `penstock/${id}:edited.txt`)).toBe('base');
    expect((await engine.task(id, 'fix-1')).fixes).toMatchObject({ task: 'api', cause: 'review' });
    expect((await engine.task(id, 'review-2')).state).toBe('succeeded');
  });

  it('comes after a fix where the first integration turned red', async () => {
    const red: AttemptResultInput = {
      outcome: 'failed',
      failure: { code: 'checks_red', message: '1 failed', task: 'api' },
    };
    jobs = {
      api: { 'edited.txt': 'new\n' },
      'integrate-1': red,
      'fix-1': { 'late.txt': 'new\n' },
      'integrate-2': { 'edited.txt': 'new\n', 'late.txt': 'new\n' },
    };
    const id = await runToEnd();
    expect(await engine.run(id)).toMatchObject({
      stage: 'succeeded',
      fixRounds: 1,
      integrations: 2,
      changeOrder: ['api', 'fix-1'],
    });
    expect(git('rev-list', '--count', `main..penstock/${id}`)).toBe('1');
    expect((await engine.task(id, 'fix-1')).inputs).toEqual(['api']);
  });

  it('is one commit although every message comes twice', async () => {
    jobs = { api: { 'edited.txt': 'new\n' }, 'integrate-1': { 'edited.txt': 'new\n' } };
    engine.deliveries = 2;
    const id = await runToEnd();
    const run = await engine.run(id);
    expect(run.stage).toBe('succeeded');
    expect(run.heads).toHaveLength(1);
    expect(git('rev-list', '--count', `main..penstock/${id}`)).toBe('1');
  });

  it('is refused when somebody else has moved the branch', async () => {
    verdicts = { review: 'request_changes' };
    jobs = {
      api: { 'edited.txt': 'new\n' },
      'integrate-1': { 'edited.txt': 'new\n' },
      'integrate-2': { 'late.txt': 'new\n' },
    };
    const plays = { 'late.txt': 'new\n' };
    Object.defineProperty(jobs, 'fix-1', {
      get: () => {
        const branch = git('branch', '--list', 'penstock/*', '--format=%(refname)');
        git('update-ref', branch, git('commit-tree', '-p', branch, '-m', 'theirs', `${branch}^{tree}`));
        return plays;
      },
    });
    const id = await runToEnd();
    expect(await engine.run(id)).toMatchObject({
      stage: 'failed',
      reason: { code: 'conflict', message: expect.stringContaining('was changed by somebody else') },
    });
    expect(git('log', '-1', '--format=%s', `penstock/${id}`)).toBe('theirs');
  });

  describe('of what only a person may change, where its tenant wants to be asked', () => {
    const risky = { '.github/workflows/ci.yml': 'on: push\n' };
    let id: string;
    beforeEach(async () => {
      const data = { v: 1 as const, decisions: { risky_change: 'ask' as const } };
      await engine.ports.store.create(refs.settings(TENANT), data);
      jobs = { api: { 'edited.txt': 'new\n' }, 'integrate-1': risky };
      id = await runToEnd();
    });
    const answer = async (option: string) => {
      const named = { tenant: TENANT, id: (await engine.run(id)).decision ?? '' };
      await decide(engine.ports, named, { option }, 'dana');
      await engine.drain();
    };

    it('waits for one, with nothing written', async () => {
      const run = await engine.run(id);
      expect(run).toMatchObject({ stage: 'integrating', heads: [], decision: expect.any(String) });
      const asked = await engine.ports.store.get(refs.decision(TENANT, run.decision ?? ''));
      expect(asked?.data).toMatchObject({
        kind: 'risky_change',
        question: expect.stringContaining('.github/workflows/ci.yml (GitHub configuration)'),
      });
      expect(git('branch', '--list', 'penstock/*')).toBe('');
    });

    it('is written when it is approved, and not asked about again', async () => {
      await answer('approve');
      expect(await engine.run(id)).toMatchObject({ stage: 'succeeded', heads: [expect.any(String)] });
      expect(git('diff', '--name-only', 'main', `penstock/${id}`)).toBe('.github/workflows/ci.yml');
    });

    it('ends the run when it is rejected', async () => {
      await answer('reject');
      expect(await engine.run(id)).toMatchObject({ stage: 'failed', reason: { code: 'risky_change' } });
      expect(git('branch', '--list', 'penstock/*')).toBe('');
    });
  });

  it.each<[string, Change, string]>([
    ['what only a person may change', { '.github/workflows/ci.yml': 'on: push\n' }, 'risky_change'],
    ['what looks like a secret', { 'key.txt': `token = "ghp_${'a1B2'.repeat(9)}"\n` }, 'secret_found'],
  ])('writes nothing of %s', async (_, change, code) => {
    jobs = { api: { 'edited.txt': 'new\n' }, 'integrate-1': change };
    const id = await runToEnd();
    expect(await engine.run(id)).toMatchObject({ stage: 'failed', reason: { code }, heads: [] });
    expect(git('branch', '--list', 'penstock/*')).toBe('');
  });
});
