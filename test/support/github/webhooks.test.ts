import { createHmac } from 'node:crypto';
import examples from '@octokit/webhooks-examples';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { startFixture, type Received, type StandInFixture } from './stand-in-fixture.ts';

let fixture: StandInFixture;
beforeAll(async () => {
  fixture = await startFixture();
});
beforeEach(async () => {
  await fixture.github.webhooksSettled();
  fixture.received.length = 0;
  fixture.answerWith(202);
});
afterAll(() => fixture.stop());

const TODO = { repository: 'acme/todo' };
const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

async function settled(): Promise<Received[]> {
  await fixture.github.webhooksSettled();
  return fixture.received;
}

async function named(event: string, action: string): Promise<Received> {
  const found = (await settled()).find(
    ({ headers, payload }) => headers['x-github-event'] === event && payload['action'] === action,
  );
  if (found === undefined) throw new Error(`no ${event}.${action} among ${fixture.received.length} webhooks`);
  return found;
}

/** Keys that each of GitHub's own examples has, and ours has not; `a.b` for a key inside an object. */
function missingKeys(event: string, action: string, payload: unknown): string[] {
  const catalogue = examples as unknown as { name: string; examples: { action?: string }[] }[];
  const all = catalogue.find(({ name }) => name === event)?.examples ?? [];
  const wanted = all.filter((example) => example.action === action).map((example) => keysOf(example));
  const [first = [], ...others] = wanted;
  const ours = new Set(keysOf(payload));
  return first.filter(
    (key) => others.every((keys) => keys.includes(key)) && !ours.has(key) && !OF_OTHER_SHAPES.test(key),
  );
}

/** Values that are null for us where the example has an object, and the like. */
const OF_OTHER_SHAPES = /\b(?:milestone|assignee|creator|license|permissions)\./;

function keysOf(value: unknown, prefix = ''): string[] {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return [];
  return Object.entries(value).flatMap(([key, inner]) => [
    prefix + key,
    ...keysOf(inner, `${prefix}${key}.`),
  ]);
}

describe('webhooks of the stand-in', () => {
  it('are signed and named as GitHub does', async () => {
    const { number } = await fixture.github.openIssue({ ...TODO, title: 'Signed', author: 'octocat' });
    await fixture.github.label({ ...TODO, issue: number, label: 'penstock', actor: 'octocat' });
    const { headers, body } = await named('issues', 'labeled');
    const hash = createHmac('sha256', fixture.github.app.webhookSecret).update(body).digest('hex');
    expect(headers['x-hub-signature-256']).toBe(`sha256=${hash}`);
    const ids = (await settled()).map((one) => one.headers['x-github-delivery']);
    expect(ids).toHaveLength(2);
    expect(new Set(ids).size).toBe(2);
    for (const id of ids) expect(id).toMatch(UUID);
  });
  it('carry every key that GitHub sends: issues', async () => {
    const { number } = await fixture.github.openIssue({
      ...TODO,
      title: 'Keys',
      body: 'B',
      author: 'octocat',
    });
    await fixture.github.label({ ...TODO, issue: number, label: 'penstock', actor: 'mona' });
    const { payload } = await named('issues', 'labeled');
    expect(missingKeys('issues', 'labeled', payload)).toEqual([]);
    expect(payload).toMatchObject({
      issue: { number, title: 'Keys', body: 'B', user: { login: 'octocat' }, labels: [{ name: 'penstock' }] },
      label: { name: 'penstock' },
      repository: { full_name: 'acme/todo', private: true, default_branch: 'main' },
      organization: { login: 'acme' },
      installation: { id: expect.any(Number) },
      sender: { login: 'mona', type: 'User' },
    });
    expect(missingKeys('issues', 'opened', (await named('issues', 'opened')).payload)).toEqual([]);
  });
  it('carry every key that GitHub sends: issue_comment', async () => {
    const { number } = await fixture.github.openIssue({ ...TODO, title: 'Talk', author: 'octocat' });
    await fixture.github.comment({ ...TODO, issue: number, body: '/penstock run', author: 'octocat' });
    const { payload } = await named('issue_comment', 'created');
    expect(missingKeys('issue_comment', 'created', payload)).toEqual([]);
    expect(payload).toMatchObject({
      comment: { body: '/penstock run', performed_via_github_app: null },
      issue: { number },
    });
  });
  it('carry every key that GitHub sends: pull_request', async () => {
    const token = await fixture.token('acme/todo');
    const post = async (path: string, body: object) =>
      (await fixture.api('POST', `/repos/acme/todo${path}`, { token, body })).data as {
        sha: string;
        number: number;
      };
    const base = (await fixture.api('GET', `/repos/acme/todo/git/commits/${fixture.base}`, { token }))
      .data as { tree: { sha: string } };
    const tree = await post('/git/trees', {
      base_tree: base.tree.sha,
      tree: [{ path: 'n.txt', mode: '100644', content: 'n\n' }],
    });
    const commit = await post('/git/commits', { message: 'n', tree: tree.sha, parents: [fixture.base] });
    await post('/git/refs', { ref: 'refs/heads/n', sha: commit.sha });
    const { number } = await post('/pulls', { title: 'N', head: 'n', base: 'main' });
    const { payload } = await named('pull_request', 'opened');
    expect(missingKeys('pull_request', 'opened', payload)).toEqual([]);
    expect(payload).toMatchObject({
      number,
      pull_request: { changed_files: 1, additions: 1, head: { sha: commit.sha } },
      sender: { login: 'penstock[bot]', type: 'Bot' },
    });
    await fixture.github.merge('acme/todo', number, 'octocat');
    expect((await named('pull_request', 'closed')).payload).toMatchObject({
      pull_request: { merged: true },
      sender: { login: 'octocat' },
    });
  });
  it('carry every key that GitHub sends: installation', async () => {
    await fixture.github.announceInstallation('acme/todo', 'created', 'octocat');
    const { payload } = await named('installation', 'created');
    expect(missingKeys('installation', 'created', payload)).toEqual([]);
    expect(payload).toMatchObject({
      repositories: expect.arrayContaining([expect.objectContaining({ full_name: 'acme/todo' })]),
    });
  });
  it('name the App in a comment that it made itself', async () => {
    const { number } = await fixture.github.openIssue({ ...TODO, title: 'Bot', author: 'octocat' });
    const token = await fixture.token('acme/todo');
    await fixture.api('POST', `/repos/acme/todo/issues/${number}/comments`, {
      token,
      body: { body: 'working' },
    });
    const { payload } = await named('issue_comment', 'created');
    expect(payload).toMatchObject({
      comment: { user: { type: 'Bot' }, performed_via_github_app: { id: 4242, slug: 'penstock' } },
      sender: { type: 'Bot' },
    });
  });
  it('send nothing for a label that is already there, or where the App is not installed', async () => {
    const { number } = await fixture.github.openIssue({
      ...TODO,
      title: 'Twice',
      author: 'octocat',
      labels: ['penstock'],
    });
    await fixture.github.label({ ...TODO, issue: number, label: 'penstock', actor: 'octocat' });
    await fixture.github.addRepository({
      owner: 'other',
      name: 'place',
      files: { a: 'a' },
      installationId: null,
    });
    await fixture.github.openIssue({ repository: 'other/place', title: 'Unheard', author: 'octocat' });
    expect((await settled()).map(({ payload }) => payload['action'])).toEqual(['opened']);
  });
  it('are never repeated on their own, and repeated with the same id on request', async () => {
    fixture.answerWith(500);
    await fixture.github.openIssue({ ...TODO, title: 'Fails', author: 'octocat' });
    expect(await settled()).toHaveLength(1);
    const token = await fixture.jwt();
    const list = (await fixture.api('GET', '/app/hook/deliveries?per_page=1', { token })).data as {
      id: number;
      guid: string;
      status_code: number;
    }[];
    expect(list).toMatchObject([{ event: 'issues', action: 'opened', status_code: 500, redelivery: false }]);
    fixture.answerWith(202);
    const again = await fixture.api('POST', `/app/hook/deliveries/${list[0]?.id}/attempts`, { token });
    expect(again.status).toBe(202);
    const [first, second] = await settled();
    expect(second?.body).toBe(first?.body);
    expect(second?.headers['x-github-delivery']).toBe(first?.headers['x-github-delivery']);
    const [newest, before] = (await fixture.api('GET', '/app/hook/deliveries?per_page=2', { token }))
      .data as { id: number; guid: string }[];
    expect(newest).toMatchObject({ redelivery: true, status_code: 202, guid: before?.guid });
    const one = (await fixture.api('GET', `/app/hook/deliveries/${newest?.id}`, { token })).data;
    expect(one).toMatchObject({ request: { payload: { action: 'opened' } }, response: { payload: 'noted' } });
    expect((await fixture.api('POST', '/app/hook/deliveries/999999/attempts', { token })).status).toBe(404);
  });
  it('are recorded as failed when nobody listens', async () => {
    const { url } = fixture.github.deliveries()[0] ?? {};
    fixture.github.setWebhookUrl('http://127.0.0.1:9/none');
    await fixture.github.openIssue({ ...TODO, title: 'Deaf', author: 'octocat' });
    await fixture.github.webhooksSettled();
    expect(fixture.github.deliveries().at(-1)).toMatchObject({
      status_code: 0,
      status: 'failed to connect to host',
    });
    fixture.github.setWebhookUrl(url);
  });
});
