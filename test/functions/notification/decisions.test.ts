import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { rm } from 'node:fs/promises';
import { notification } from '../../../functions/notification/notification.ts';
import { decide } from '../../../shared/core/decisions/decide.ts';
import { refs } from '../../../shared/core/refs.ts';
import {
  type Door,
  type FunctionRuntime,
  openMessageDoor,
  openRuntime,
} from '../../runtime/function-door.ts';
import { pushMessage } from '../../runtime/push-message.ts';
import { blockedRun } from '../../support/blocked-run.ts';
import { githubEnvironment, PERSON, startGithubWith, TENANT } from '../../support/platform.ts';

describe('Notification of a decision', () => {
  let stand: Awaited<ReturnType<typeof startGithubWith>>;
  let installationId: number;
  let runtime: FunctionRuntime;
  let door: Door;
  beforeAll(async () => {
    stand = await startGithubWith({ 'README.md': 'Nothing.\n' });
    const { github } = stand;
    const second = await github.addRepository({ owner: 'acme', name: 'notes', files: { 'a.md': 'a' } });
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

  async function ask(): Promise<{ issue: number; decision: string }> {
    const { github, repository } = stand;
    const { number: issue } = await github.openIssue({ repository, title: 'A', body: '', author: PERSON });
    const target = { host: 'github' as const, repository, installationId, headBranch: 'penstock/run1' };
    const origin = {
      kind: 'github' as const,
      actor: PERSON,
      issue: { number: issue, url: 'https://x.test' },
    };
    const { decisions } = await blockedRun(runtime.ports, { run: { targets: [target], origin } });
    return { issue, decision: decisions[0] ?? '' };
  }
  const push = () => pushMessage(door.url, 'notification-requested', { v: 1, tenant: TENANT, run: 'run1' });
  const bodies = async (issue: number) =>
    (await stand.github.comments(stand.repository, issue)).map(({ body }) => body);

  it('shows in the one comment what is asked and how to answer, until it is answered', async () => {
    const { issue, decision } = await ask();
    expect(await push()).toBe(204);
    const [asked, ...more] = await bodies(issue);
    expect(more).toEqual([]);
    expect(asked).toContain(`**Decision \`${decision}\`.** Task api stopped at its limit`);
    expect(asked).toContain(`npx penstock decide ${decision} raise --budget USD`);
    expect(asked).toMatch(/Without an answer by \d{4}-\d\d-\d\d \d\d:\d\d UTC `stop` is taken/);
    await decide(runtime.ports, { tenant: TENANT, id: decision }, { option: 'raise' }, 'dana');
    expect(await push()).toBe(204);
    const [after] = await bodies(issue);
    expect(after).not.toContain('Decision');
    expect(after).toContain('of $4.00');
  });

  it('reminds with one comment of its own when its time has come', async () => {
    await runtime.store.create(refs.settings(TENANT), { v: 1, decisionReminderHours: 1e-9 });
    const { issue, decision } = await ask();
    for (let times = 0; times < 3; times += 1) expect(await push()).toBe(204);
    const [, reminder, ...more] = await bodies(issue);
    expect(more).toEqual([]);
    expect(reminder).toContain(`Still waiting. **Decision \`${decision}\`.**`);
  });

  it('calls whom the tenant names when that has not helped, once', async () => {
    await runtime.store.create(refs.settings(TENANT), {
      v: 1,
      decisionReminderHours: 1e-9,
      decisionEscalationHours: 2e-9,
      escalateTo: ['lead', 'acme/platform'],
    });
    const { issue, decision } = await ask();
    for (let times = 0; times < 3; times += 1) expect(await push()).toBe(204);
    const [, , escalation, ...more] = await bodies(issue);
    expect(more).toEqual([]);
    expect(escalation).toContain('Nobody has answered yet; this needs @lead @acme/platform.');
    expect(escalation).toContain(`/penstock approve ${decision}`);
  });
});
