import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startFixture, type StandInFixture } from './stand-in-fixture.ts';

const TODO = '/repos/acme/todo';
const UNKNOWN_SHA = 'deadbeef'.repeat(5);
let fixture: StandInFixture;
let token: string;
let tree: string;

beforeAll(async () => {
  fixture = await startFixture();
  token = await fixture.token('acme/todo');
  const { data } = await fixture.api('GET', `${TODO}/git/commits/${fixture.base}`, { token });
  tree = (data as { tree: { sha: string } }).tree.sha;
});
afterAll(() => fixture.stop());

async function refused(
  method: string,
  path: string,
  body: unknown,
  as: string | undefined = token,
): Promise<[number, string]> {
  const { status, data } = await fixture.api(method, path, {
    ...(as === undefined ? {} : { token: as }),
    body,
  });
  const { message, errors = [] } = data as {
    message: string;
    errors?: { message?: string; field?: string }[];
  };
  return [status, [message, ...errors.map((error) => error.message ?? error.field)].join(': ')];
}

async function commit(parents: string[], message = 'c'): Promise<string> {
  const { data } = await fixture.api('POST', `${TODO}/git/commits`, {
    token,
    body: { message, tree, parents },
  });
  return (data as { sha: string }).sha;
}

const postRef = (ref: string, sha: string) => refused('POST', `${TODO}/git/refs`, { ref, sha });

describe('the stand-in refuses what GitHub refuses:', () => {
  it('unknown tokens, and everything without one', async () => {
    expect(await refused('GET', TODO, undefined, 'ghs_invented')).toEqual([401, 'Bad credentials']);
    expect(await refused('GET', '/user', undefined, 'ghs_invented')).toEqual([401, 'Bad credentials']);
    expect((await fixture.api('GET', TODO)).status).toBe(404);
    expect((await fixture.api('GET', '/app')).status).toBe(401);
    expect((await fixture.api('GET', '/app/hook/deliveries', { token })).status).toBe(401);
    const forged = `eyJhbGciOiJSUzI1NiJ9.${Buffer.from(JSON.stringify({ iss: 4242, exp: 9_999_999_999 })).toString('base64url')}.AAAA`;
    expect((await fixture.api('GET', '/app', { token: forged })).status).toBe(401);
  });
  it('the token of another repository, for reading and writing', async () => {
    const foreign = await fixture.token('rival/secret');
    expect((await fixture.api('GET', '/repos/rival/secret', { token: foreign })).status).toBe(200);
    for (const path of [
      '',
      '/git/ref/heads/main',
      '/contents/README.md',
      '/issues/1',
      '/collaborators/octocat/permission',
    ]) {
      expect([path, (await fixture.api('GET', `${TODO}${path}`, { token: foreign })).status]).toEqual([
        path,
        404,
      ]);
    }
    expect(
      (await refused('POST', `${TODO}/git/refs`, { ref: 'refs/heads/x', sha: fixture.base }, foreign))[0],
    ).toBe(404);
    expect(await refused('POST', '/repos/acme/public/issues', { title: 'x' }, foreign)).toEqual([
      403,
      'Resource not accessible by integration',
    ]);
  });
  it('writes with a token that only reads', async () => {
    const reader = await fixture.token('acme/todo', {
      contents: 'read',
      issues: 'read',
      pull_requests: 'read',
      checks: 'read',
    });
    const writes: [string, unknown][] = [
      ['/git/blobs', { content: 'x' }],
      ['/git/refs', { ref: 'refs/heads/x', sha: fixture.base }],
      ['/issues/1/comments', { body: 'x' }],
      ['/pulls', { title: 'x', head: 'x', base: 'main' }],
      ['/check-runs', { name: 'x', head_sha: fixture.base }],
    ];
    for (const [path, body] of writes)
      expect([path, await refused('POST', `${TODO}${path}`, body, reader)]).toEqual([
        path,
        [403, 'Resource not accessible by integration'],
      ]);
  });
  it('tokens for repositories that the installation does not have', async () => {
    const bearer = await fixture.jwt();
    const { data } = await fixture.api('GET', `${TODO}/installation`, { token: bearer });
    const path = `/app/installations/${(data as { id: number }).id}/access_tokens`;
    expect((await refused('POST', path, { repositories: ['secret'] }, bearer))[0]).toBe(422);
    expect((await refused('POST', path, { permissions: { administration: 'write' } }, bearer))[0]).toBe(422);
  });
  it('commits with an unknown tree or parent, or with a parent that is no commit', async () => {
    const path = `${TODO}/git/commits`;
    const parent = 'Parent SHA does not exist or is not a commit object';
    expect(await refused('POST', path, { message: 'm', tree: UNKNOWN_SHA, parents: [] })).toEqual([
      422,
      'Tree SHA does not exist',
    ]);
    expect(await refused('POST', path, { message: 'm', tree, parents: [UNKNOWN_SHA] })).toEqual([
      422,
      parent,
    ]);
    expect(await refused('POST', path, { message: 'm', tree, parents: [tree] })).toEqual([422, parent]);
    expect((await refused('POST', path, { message: '', tree, parents: [] }))[0]).toBe(422);
  });
  it.each([
    '.git/config',
    'a/.GIT/b',
    '.Git',
    'git~1/x',
    '/etc/passwd',
    '../x',
    'a/../b',
    './a',
    'a//b',
    '',
    'a\0b',
  ])('a tree with the path %j', async (path) => {
    const body = { base_tree: tree, tree: [{ path, mode: '100644', type: 'blob', content: 'x' }] };
    expect(await refused('POST', `${TODO}/git/trees`, body)).toEqual([
      422,
      'tree.path contains a malformed path component',
    ]);
  });
  it('trees with modes and objects that do not fit', async () => {
    const post = async (entry: object): Promise<number> =>
      (await refused('POST', `${TODO}/git/trees`, { base_tree: tree, tree: [entry] }))[0];
    expect(await post({ path: 'a', mode: '100666', type: 'blob', content: 'x' })).toBe(422);
    expect(await post({ path: 'a', mode: '040000', type: 'blob', sha: tree })).toBe(422);
    expect(await post({ path: 'a', mode: '100644', type: 'blob', sha: UNKNOWN_SHA })).toBe(422);
    expect(await post({ path: 'a', mode: '100644', type: 'blob', sha: tree })).toBe(422);
    expect(await post({ path: 'no-such-file', mode: '100644', type: 'blob', sha: null })).toBe(422);
    expect(
      (
        await refused('POST', `${TODO}/git/trees`, {
          base_tree: UNKNOWN_SHA,
          tree: [{ path: 'a', mode: '100644', content: 'x' }],
        })
      )[0],
    ).toBe(422);
  });
  it('a ref that exists, that is malformed, or that points nowhere', async () => {
    expect(await postRef('refs/heads/main', fixture.base)).toEqual([422, 'Reference already exists']);
    expect(await postRef('refs/heads/new', UNKNOWN_SHA)).toEqual([422, 'Object does not exist']);
    for (const ref of ['heads/new', 'main', 'refs/heads/a..b', 'refs/heads/a b', 'refs/new'])
      expect((await postRef(ref, fixture.base))[0]).toBe(422);
  });
  it('an update that is not a fast-forward, unless forced', async () => {
    const left = await commit([fixture.base], 'left');
    const right = await commit([fixture.base], 'right');
    await fixture.api('POST', `${TODO}/git/refs`, { token, body: { ref: 'refs/heads/ff', sha: left } });
    const path = `${TODO}/git/refs/heads/ff`;
    expect(await refused('PATCH', path, { sha: right })).toEqual([422, 'Update is not a fast forward']);
    expect(await refused('PATCH', path, { sha: right, force: false })).toEqual([
      422,
      'Update is not a fast forward',
    ]);
    expect(await refused('PATCH', path, { sha: UNKNOWN_SHA })).toEqual([422, 'Object does not exist']);
    expect(await fixture.github.branches('acme/todo')).toMatchObject({ ff: left });
    expect((await fixture.api('PATCH', path, { token, body: { sha: right, force: true } })).status).toBe(200);
    expect(await refused('PATCH', `${TODO}/git/refs/heads/none`, { sha: right })).toEqual([
      422,
      'Reference does not exist',
    ]);
  });
  it('pull requests without commits, without a branch, twice, or as a draft where there are none', async () => {
    const post = (body: object) => refused('POST', `${TODO}/pulls`, { title: 'T', base: 'main', ...body });
    const sha = await commit([fixture.base], 'pull');
    for (const [ref, target] of [
      ['same', fixture.base],
      ['ahead', sha],
    ] as const) {
      await fixture.api('POST', `${TODO}/git/refs`, {
        token,
        body: { ref: `refs/heads/${ref}`, sha: target },
      });
    }
    expect(await post({ head: 'same' })).toEqual([
      422,
      'Validation Failed: No commits between main and same',
    ]);
    expect(await post({ head: 'none' })).toEqual([422, 'Validation Failed: head']);
    expect(await post({ head: 'ahead', base: 'none' })).toEqual([422, 'Validation Failed: base']);
    expect(await post({ head: 'ahead', title: ' ' })).toEqual([422, 'Validation Failed: title']);
    expect(
      (
        await fixture.api('POST', `${TODO}/pulls`, {
          token,
          body: { title: 'T', head: 'ahead', base: 'main' },
        })
      ).status,
    ).toBe(201);
    expect(await post({ head: 'acme:ahead' })).toEqual([
      422,
      'Validation Failed: A pull request already exists for acme:ahead.',
    ]);
  });
  it('text that is too long', async () => {
    const { number } = await fixture.github.openIssue({
      repository: 'acme/todo',
      title: 'Long',
      author: 'octocat',
    });
    const long = 'x'.repeat(65_537);
    expect((await refused('POST', `${TODO}/issues/${number}/comments`, { body: long }))[1]).toContain(
      'body is too long',
    );
    expect((await refused('POST', `${TODO}/issues`, { title: 't', body: long }))[1]).toContain(
      'body is too long',
    );
    expect((await refused('POST', `${TODO}/issues`, { title: 'x'.repeat(257) }))[1]).toContain(
      'title is too long',
    );
    const output = { title: 't', summary: long };
    expect(
      (await refused('POST', `${TODO}/check-runs`, { name: 'n', head_sha: fixture.base, output }))[0],
    ).toBe(422);
    expect(await fixture.github.comments('acme/todo', number)).toEqual([]);
  });
  it('check runs on an unknown commit', async () => {
    expect(await refused('POST', `${TODO}/check-runs`, { name: 'n', head_sha: UNKNOWN_SHA })).toEqual([
      422,
      `No commit found for SHA: ${UNKNOWN_SHA}`,
    ]);
  });
  it('leaving draft by REST, which only GraphQL can', async () => {
    const sha = await commit([fixture.base], 'draft');
    await fixture.api('POST', `${TODO}/git/refs`, { token, body: { ref: 'refs/heads/draft', sha } });
    const { data } = await fixture.api('POST', `${TODO}/pulls`, {
      token,
      body: { title: 'D', head: 'draft', base: 'main', draft: true },
    });
    const { number, node_id: id } = data as { number: number; node_id: string };
    const isDraft = async () =>
      (await fixture.github.pullRequests('acme/todo')).find((pull) => pull.number === number)?.draft;
    await fixture.api('PATCH', `${TODO}/pulls/${number}`, { token, body: { draft: false } });
    expect(await isDraft()).toBe(true);
    const query =
      'mutation($id: ID!) { markPullRequestReadyForReview(input: {pullRequestId: $id}) { pullRequest { isDraft } } }';
    const foreign = await fixture.token('rival/secret');
    const stolen = await fixture.api('POST', '/graphql', {
      token: foreign,
      body: { query, variables: { id } },
    });
    expect(stolen.data).toMatchObject({ errors: [{ type: 'NOT_FOUND' }] });
    expect(await isDraft()).toBe(true);
    await fixture.api('POST', '/graphql', { token, body: { query, variables: { id } } });
    expect(await isDraft()).toBe(false);
  });
});
