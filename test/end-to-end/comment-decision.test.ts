import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { rm } from 'node:fs/promises';
import { refs } from '../../shared/core/refs.ts';
import type { Run } from '../../shared/core/run.ts';
import {
  inProcess,
  openLabelledIssue,
  PERSON,
  type Platform,
  startGithubWith,
  startPlatform,
  TENANT,
} from '../support/platform.ts';

const PLAN = {
  summary: 'the plan',
  tasks: [
    {
      id: 'a',
      title: 'a',
      agent: 'technical_writer',
      instructions: 'Nothing.',
      dependencies: [],
      acceptance: ['it is there'],
      scope: [],
    },
  ],
};

inProcess(describe, 'the test plays the architect')('a question on an issue', () => {
  let stand: Awaited<ReturnType<typeof startGithubWith>>;
  let platform: Platform;
  beforeAll(async () => {
    stand = await startGithubWith({ 'README.md': 'Nothing.\n' });
    platform = await startPlatform({
      github: stand.github,
      work: () => Promise.resolve({ outcome: 'succeeded', summary: 'planned', output: JSON.stringify(PLAN) }),
    });
    stand.github.setWebhookUrl(`${platform.url}/webhooks/github`);
    const data = { v: 1 as const, decisions: { approve_plan: 'ask' as const } };
    await platform.ports.store.create(refs.settings(TENANT), data);
  });
  afterAll(async () => {
    await platform.stop();
    await stand.github.stop();
    await rm(stand.folder, { recursive: true, force: true });
  });

  const until = async (id: string, isSo: (run: Run) => boolean): Promise<Run> => {
    for (const deadline = Date.now() + 120_000; Date.now() < deadline;) {
      const run = await platform.run(id);
      if (isSo(run)) return run;
      await new Promise((resolve) => setTimeout(resolve, 25));
    }
    throw new Error(`run ${id} is still ${(await platform.run(id)).stage}`);
  };

  it('is answered by a comment of somebody who may write, and of nobody else (004-13, 004-23)', async () => {
    const { github, repository } = stand;
    github.addUser('eve');
    github.setPermission(repository, 'eve', 'read');
    const { issue, runId } = await openLabelledIssue(github, repository, 'Todos need a priority');
    const { decision = '' } = await until(runId, ({ stage }) => stage === 'awaiting_approval');
    await platform.settled();
    const [asked] = await github.comments(repository, issue);
    expect(asked?.body).toContain(`/penstock approve ${decision}`);
    const comment = async (author: string, body: string) => {
      await github.comment({ repository, issue, body, author });
      await github.webhooksSettled();
      await platform.settled();
    };
    await comment('eve', '/penstock approve');
    expect((await platform.run(runId)).stage).toBe('awaiting_approval');
    await comment(PERSON, `/penstock reject ${decision} not now`);
    expect(await platform.ended(runId)).toMatchObject({
      stage: 'failed',
      reason: { code: 'plan_rejected', message: expect.stringContaining(`rejected by github:${PERSON}`) },
    });
    await platform.settled();
    const [after] = await github.comments(repository, issue);
    expect(after?.body).toContain('Failed: plan rejected');
    expect(after?.body).not.toContain('/penstock approve');
  });
});
