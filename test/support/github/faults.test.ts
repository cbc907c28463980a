import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startFixture, type StandInFixture } from './stand-in-fixture.ts';

let fixture: StandInFixture;
let token: string;
let path: string;
let issue: number;

beforeAll(async () => {
  fixture = await startFixture();
  token = await fixture.token('acme/todo');
  issue = (await fixture.github.openIssue({ repository: 'acme/todo', title: 'T', author: 'octocat' })).number;
  path = `/repos/acme/todo/issues/${issue}/comments`;
});
afterAll(() => fixture.stop());

const post = (body: string) => fixture.api('POST', path, { token, body: { body } });
const bodies = async () => (await fixture.github.comments('acme/todo', issue)).map((comment) => comment.body);

describe('a failure that the stand-in was told to make', () => {
  it('comes before the call takes effect, once', async () => {
    const match = { method: 'POST', path: /comments$/ };
    fixture.github.failNext({
      match,
      status: 403,
      applied: false,
      headers: { 'retry-after': '7' },
      body: { message: 'You have exceeded a secondary rate limit' },
    });
    expect(await fixture.api('GET', path, { token })).toMatchObject({ status: 200 });
    const failed = await post('one');
    expect([failed.status, failed.headers.get('retry-after')]).toEqual([403, '7']);
    expect(await bodies()).toEqual([]);
    expect((await post('two')).status).toBe(201);
    expect(await bodies()).toEqual(['two']);
  });
  it('comes at the matching call that it is for, and tells so', async () => {
    let failed = 0;
    fixture.github.failNext({
      match: { method: 'PATCH', path: /comments\/\d+$/ },
      status: 502,
      applied: false,
      skip: 1,
      onFail: () => void (failed += 1),
    });
    const [comment] = await fixture.github.comments('acme/todo', issue);
    const edit = () =>
      fixture.api('PATCH', `/repos/acme/todo/issues/comments/${comment?.id}`, {
        token,
        body: { body: 'two' },
      });
    expect([(await edit()).status, failed]).toEqual([200, 0]);
    expect([(await edit()).status, failed]).toEqual([502, 1]);
    expect((await edit()).status).toBe(200);
  });
  it('comes after the call took effect', async () => {
    fixture.github.failNext({ match: { path: /comments$/ }, status: 502, applied: true });
    expect((await post('three')).status).toBe(502);
    expect(await bodies()).toEqual(['two', 'three']);
  });
  it('cuts the connection, with the call carried out or not', async () => {
    for (const applied of [true, false]) {
      fixture.github.failNext({ match: { method: 'POST', path: /comments$/ }, status: 0, applied });
      await expect(post(`cut ${applied}`)).rejects.toThrow('fetch failed');
    }
    expect(await bodies()).toEqual(['two', 'three', 'cut true']);
  });
  it('shows in the log of writes with what was answered and whether it took effect', () => {
    const comments = fixture.github.calls().filter((call) => call.path === path);
    expect(comments.map(({ method, status, applied }) => [method, status, applied])).toEqual([
      ['POST', 403, false],
      ['POST', 201, true],
      ['POST', 502, true],
      ['POST', 0, true],
      ['POST', 0, false],
    ]);
    expect(comments[1]?.body).toEqual({ body: 'two' });
  });
});
