import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { rm } from 'node:fs/promises';
import { notification } from '../../../functions/notification/notification.ts';
import { failRun } from '../../../shared/core/fail-run.ts';
import {
  type Door,
  type FunctionRuntime,
  openMessageDoor,
  openRuntime,
} from '../../runtime/function-door.ts';
import { messageDoor } from '../../runtime/message-door.ts';
import { pushMessage } from '../../runtime/push-message.ts';
import { acceptedRun, readRun, TENANT } from '../../runtime/seed.ts';
import { githubEnvironment, PERSON, startGithubWith } from '../../support/platform.ts';

messageDoor(notification, { v: 1, tenant: 'local', run: 'gone1234' });

describe('Notification', () => {
  let stand: Awaited<ReturnType<typeof startGithubWith>>;
  let installationId: number;
  let runtime: FunctionRuntime;
  let door: Door;
  beforeAll(async () => {
    stand = await startGithubWith({ 'README.md': 'A list of things to do.\n' });
    const second = await stand.github.addRepository({
      owner: 'acme',
      name: 'notes',
      files: { 'README.md': 'Notes.\n' },
    });
    stand = { ...stand, repository: second.repository };
    installationId = second.installationId ?? 0;
  });
  afterAll(async () => {
    await stand.github.stop();
    await rm(stand.folder, { recursive: true, force: true });
  });
  beforeEach(async () => {
    runtime = await openRuntime({ env: githubEnvironment(stand.github) });
    door = await openMessageDoor(notification, runtime);
  });
  afterEach(async () => {
    await door.close();
    await runtime.remove();
  });

  async function runOnIssue(): Promise<{ id: string; issue: number }> {
    const { github, repository } = stand;
    const { number: issue } = await github.openIssue({
      repository,
      title: 'A thing',
      body: '',
      author: PERSON,
    });
    const target = { host: 'github' as const, repository, installationId };
    const origin = {
      kind: 'github' as const,
      actor: `github:${PERSON}`,
      login: PERSON,
      issue: { number: issue, url: 'https://example.org/1' },
    };
    return { id: (await acceptedRun(runtime, { target, origin })).id, issue };
  }
  const push = (run: string) =>
    pushMessage(door.url, 'notification-requested', { v: 1, tenant: TENANT, run });

  it('writes one comment on the issue, and edits it when asked again', async () => {
    const { id, issue } = await runOnIssue();
    expect(await push(id)).toBe(204);
    const [first, ...more] = await stand.github.comments(stand.repository, issue);
    expect(more).toEqual([]);
    expect(first?.body).toContain(id);
    await failRun(runtime.ports, { tenant: TENANT, id }, { code: 'budget', message: 'the money is spent' });
    expect(await push(id)).toBe(204);
    const comments = await stand.github.comments(stand.repository, issue);
    expect(comments).toHaveLength(1);
    expect(comments[0]?.body).toContain('the money is spent');
    expect((await readRun(runtime, id)).unsettledOutside).toBe(false);
  });

  it('writes one comment when five messages come at once', async () => {
    const { id, issue } = await runOnIssue();
    const statuses = await Promise.all(Array.from({ length: 5 }, () => push(id)));
    expect(statuses).toContain(204);
    expect(await push(id)).toBe(204);
    expect(await stand.github.comments(stand.repository, issue)).toHaveLength(1);
  });

  it('writes nothing for a run that came from no host', async () => {
    const { id } = await acceptedRun(runtime);
    expect(await push(id)).toBe(204);
  });
});
