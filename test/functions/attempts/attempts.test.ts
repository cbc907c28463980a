import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { blobKeys } from '../../../shared/core/refs.ts';
import { TENANT } from '../../support/platform.ts';
import { bundleOf, type JobStage, newFile, openJobStage, sha } from './job-player.ts';

const line = { v: 1, seq: 0, at: 1, kind: 'note', text: 'hello' };
const success = { outcome: 'succeeded', summary: 'done' };

describe('A ticket', () => {
  let stage: JobStage;
  beforeEach(async () => {
    stage = await openJobStage();
  });
  afterEach(() => stage.stop());

  it('buys a token and the brief of its own attempt', async () => {
    const job = await stage.nextJob();
    const { status, body } = await stage.call('/claim', { ticket: job.ticket });
    expect(status).toBe(200);
    expect(body.brief).toMatchObject({
      tenant: TENANT,
      run: stage.runId,
      task: 'build',
      generation: 1,
      agent: 'backend_developer',
    });
    expect((await stage.call('/renew', {}, body.token)).body).toEqual({ answer: 'continue', messages: [] });
  });

  it('is burned with its first use', async () => {
    const { job } = await stage.claim();
    expect(await stage.call('/claim', { ticket: job.ticket })).toMatchObject({
      status: 409,
      type: 'application/problem+json',
      body: { code: 'stale' },
    });
  });

  it('used ten times at once buys one token', async () => {
    const job = await stage.nextJob();
    const answers = await Promise.all(
      Array.from({ length: 10 }, () => stage.call('/claim', { ticket: job.ticket })),
    );
    expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([
      200,
      ...Array.from({ length: 9 }, () => 409),
    ]);
  });

  it('and token stand in the records only as hashes', async () => {
    const job = await stage.nextJob();
    const secret = job.ticket.split('.').at(-1) ?? '';
    expect(JSON.stringify(await stage.platform.tasks(stage.runId))).not.toContain(secret);
    const { body } = await stage.call('/claim', { ticket: job.ticket });
    expect(JSON.stringify(await stage.platform.tasks(stage.runId))).not.toContain(
      body.token?.split('.').at(-1),
    );
  });

  it('that somebody made up buys nothing', async () => {
    const { ticket } = await stage.nextJob();
    const [tenant, run, task, generation, secret] = ticket.split('.');
    const wrong = [
      `${ticket}x`,
      [tenant, run, task, '2', secret].join('.'),
      [tenant, run, 'other', generation, secret].join('.'),
      ['other', run, task, generation, secret].join('.'),
      [tenant, run, task, 'NaN', secret].join('.'),
      'x'.repeat(40),
      '../../../../../../../../..',
      `${tenant}/..${ticket}`,
    ];
    for (const one of wrong) expect((await stage.call('/claim', { ticket: one })).status).toBe(409);
    expect((await stage.call('/claim', { ticket })).status).toBe(200);
  });

  it.each([{}, { ticket: '' }, { ticket: 7 }, { ticket: 'x'.repeat(201) }, [], 'no'])(
    'of another shape is refused: %j',
    async (body) => {
      expect(await stage.call('/claim', body)).toMatchObject({
        status: 400,
        type: 'application/problem+json',
      });
    },
  );
});

describe('A token', () => {
  let stage: JobStage;
  let token: string;
  beforeAll(async () => {
    stage = await openJobStage();
    token = (await stage.claim()).token;
  });
  afterAll(() => stage.stop());
  const calls: [string, unknown][] = [
    ['/renew', {}],
    ['/log', { n: 0, lines: [line] }],
    ['/propose', { kind: 'upload', purpose: 'change-set', n: 0 }],
    ['/model/v1/messages', { model: 'claude-sonnet-5-5', max_tokens: 10, messages: [] }],
    ['/model/v1/messages/count_tokens', { model: 'claude-sonnet-5-5', messages: [] }],
  ];

  it.each([...calls, ['/finish', success] as [string, unknown]])('is asked for by %s', async (path, body) => {
    expect(await stage.call(path, body)).toMatchObject({ status: 401, type: 'application/problem+json' });
    expect(await stage.call(path, body, 'no token at all')).toMatchObject({ status: 401 });
  });

  it.each(calls)('of another attempt opens nothing of this one: %s', async (path, body) => {
    const [tenant, run, task, , claim] = token.split('.');
    const forged = [
      [tenant, run, task, 2, claim],
      [tenant, run, 'plan', 1, claim],
      [tenant, run, task, 1, 'guessed'],
      ['other', run, task, 1, claim],
      [tenant, 'abcd1234', task, 1, claim],
    ];
    for (const parts of forged) {
      const { status, body: answer } = await stage.call(path, body, parts.join('.'));
      expect([`${status} ${answer.code}`]).toContainEqual(
        expect.stringMatching(/^(409 stale|404 not_found)$/),
      );
    }
  });

  it('with tricks in it reaches no other record', async () => {
    const claim = token.split('.').at(-1);
    for (const one of [
      `../x.${stage.runId}.build.1.${claim}`,
      `${TENANT}.${stage.runId}/tasks.build.1.${claim}`,
      `${TENANT}.__x__.build.1.${claim}`,
    ]) {
      expect([400, 401, 409]).toContain((await stage.call('/renew', {}, one)).status);
    }
  });
});

describe('An attempt whose lease has passed', () => {
  let stage: JobStage;
  let stale: string;
  beforeEach(async () => {
    stage = await openJobStage({ env: { PENSTOCK_LEASE_SECONDS: '0.5', PENSTOCK_RENEW_SECONDS: '0.1' } });
    stale = (await stage.claim()).token;
    const next = await stage.claim();
    expect(next.job.generation).toBe(2);
  });
  afterEach(() => stage.stop());

  it('can no longer renew, log, propose, call the model or finish', async () => {
    const body = { model: 'claude-sonnet-5-5', max_tokens: 10, messages: [] };
    expect((await stage.call('/renew', {}, stale)).status).toBe(409);
    expect((await stage.call('/log', { n: 0, lines: [line] }, stale)).status).toBe(409);
    expect(
      (await stage.call('/propose', { kind: 'upload', purpose: 'change-set', n: 0 }, stale)).status,
    ).toBe(409);
    expect((await stage.call('/model/v1/messages', body, stale)).status).toBe(409);
    expect(
      (await stage.call('/finish', { outcome: 'failed', failure: { code: 'internal', message: 'x' } }, stale))
        .body,
    ).toEqual({ outcome: 'stale' });
    const [task] = (await stage.platform.tasks(stage.runId)).filter(({ id }) => id === 'build');
    expect(task?.attempts[0]).toMatchObject({ generation: 1, exit: { outcome: 'lost' } });
    expect(
      await stage.platform.ports.blobs.get(blobKeys.transcript(TENANT, stage.runId, 'build', 1, 0)),
    ).toBeUndefined();
  });
});

describe('A change set', () => {
  let stage: JobStage;
  let token: string;
  let n = 0;
  beforeAll(async () => {
    stage = await openJobStage();
    token = (await stage.claim()).token;
  });
  afterAll(() => stage.stop());

  async function propose(bundle: unknown) {
    n += 1;
    const { body } = await stage.call('/propose', { kind: 'upload', purpose: 'change-set', n }, token);
    const bytes = typeof bundle === 'string' ? bundle : JSON.stringify(bundle);
    const upload = await fetch(body.url ?? '', { method: 'PUT', body: bytes });
    expect(upload.status).toBe(200);
    return stage.call('/propose', { kind: 'change-set', n }, token);
  }
  const kept = () => stage.platform.ports.blobs.get(blobKeys.changeSet(TENANT, stage.runId, 'build', 1));

  it('larger than may be is refused', async () => {
    expect(
      await propose({ ...bundleOf([newFile('a.js')]), padding: 'x'.repeat(17 * 1024 * 1024) }),
    ).toMatchObject({ status: 413 });
    expect(await kept()).toBeUndefined();
  });

  it('that was never uploaded is refused', async () => {
    expect(await stage.call('/propose', { kind: 'change-set', n: 500 }, token)).toMatchObject({
      status: 400,
    });
  });

  const long = `${'x'.repeat(300)}.js`;
  it.each([
    ['that leaves the repository', bundleOf([newFile('../outside.js')]), /"\.\." segment/],
    ['that leaves it in the middle', bundleOf([newFile('src/../../outside.js')]), /"\.\." segment/],
    ['with an absolute path', bundleOf([newFile('/etc/passwd')]), /absolute/],
    ['with a path of Windows', bundleOf([newFile('C:\\x')]), /absolute/],
    ['with a backslash', bundleOf([newFile('src\\b.js')]), /backslash/],
    ['with a NUL', bundleOf([newFile('src/b\u0000.js')]), /control character/],
    ['with a line break', bundleOf([newFile('src/b\n.js')]), /control character/],
    ['into .git', bundleOf([newFile('.git/hooks/pre-commit')]), /reaches into \.git/],
    ['into .GIT', bundleOf([newFile('src/.GIT/config')]), /reaches into \.git/],
    ['into .git by its short name', bundleOf([newFile('GIT~1/config')]), /reaches into \.git/],
    ['into .git by an invisible character', bundleOf([newFile('.g\u200cit/config')]), /reaches into \.git/],
    ['with an empty segment', bundleOf([newFile('src//b.js')]), /empty segment/],
    ['with a name that no disk holds', bundleOf([newFile(long)]), /segment over/],
    ['with a path twice', bundleOf([newFile('a.js'), newFile('a.js')]), /stands twice/],
    ['with a file that is a folder too', bundleOf([newFile('a'), newFile('a/b.js')]), /a file and a folder/],
    ['with two names that differ only in case', bundleOf([newFile('a.js'), newFile('A.js')]), /only in case/],
    ['whose contents are missing', bundleOf([newFile('a.js')], []), /missing or differ/],
    [
      'whose contents are others',
      { ...bundleOf([newFile('a.js')], []), contents: { [sha('x\n')]: Buffer.from('y').toString('base64') } },
      /missing or differ/,
    ],
  ])('%s is refused with its reason, and nothing of it is kept', async (_, bundle, reason) => {
    const answer = await propose(bundle);
    expect(answer).toMatchObject({
      status: 400,
      type: 'application/problem+json',
      body: { code: 'invalid' },
    });
    expect(`${answer.body.detail} ${JSON.stringify(answer.body.errors ?? [])}`).toMatch(reason);
    expect(await kept()).toBeUndefined();
  });

  it.each([
    ['with a symlink', bundleOf([newFile('a.js', 'x\n', { mode: '120000' })])],
    ['with a submodule', bundleOf([newFile('a.js', 'x\n', { mode: '160000' })])],
    ['with a folder', bundleOf([newFile('a', 'x\n', { mode: '040000' })])],
    ['of 301 files', bundleOf(Array.from({ length: 301 }, (__, index) => newFile(`f${index}.js`)))],
    ['with a file over 1 MiB', bundleOf([newFile('a.js', 'x\n', { bytes: 1024 * 1024 + 1 })])],
    ['with unknown fields', { ...bundleOf([newFile('a.js')]), more: 1 }],
    ['that is a list', []],
    ['that is not JSON', 'PK\u0003\u0004'],
    ['that is empty', ''],
  ])('%s is refused, and nothing of it is kept', async (_, bundle) => {
    expect(await propose(bundle)).toMatchObject({ status: 400, type: 'application/problem+json' });
    expect(await kept()).toBeUndefined();
  });

  it('is uploaded to a URL that opens nothing else', async () => {
    const { body } = await stage.call('/propose', { kind: 'upload', purpose: 'change-set', n: 0 }, token);
    const url = new URL(body.url ?? '');
    expect((await fetch(url)).status).toBe(403);
    const other = new URL(url);
    other.pathname = other.pathname.replace('change-set-0', 'change-set-1');
    expect((await fetch(other, { method: 'PUT', body: 'x' })).status).toBe(403);
    other.pathname = `/blobs/${blobKeys.changeSet(TENANT, stage.runId, 'build', 1)}`;
    expect((await fetch(other, { method: 'PUT', body: 'x' })).status).toBe(403);
  });
});

describe('The end of an attempt that owes a change set', () => {
  let stage: JobStage;
  let token: string;
  beforeEach(async () => {
    stage = await openJobStage();
    token = (await stage.claim()).token;
  });
  afterEach(() => stage.stop());
  const build = async () => (await stage.platform.tasks(stage.runId)).find(({ id }) => id === 'build');

  it('is a success with the one that was proposed', async () => {
    const { body } = await stage.call('/propose', { kind: 'upload', purpose: 'change-set', n: 0 }, token);
    await fetch(body.url ?? '', { method: 'PUT', body: JSON.stringify(bundleOf([newFile('src/b.js')])) });
    expect((await stage.call('/propose', { kind: 'change-set', n: 0 }, token)).status).toBe(200);
    expect((await stage.call('/finish', success, token)).body).toEqual({ outcome: 'stored' });
    expect(await build()).toMatchObject({ state: 'succeeded', result: { changeSet: { files: 1 } } });
    expect((await stage.call('/finish', success, token)).body).toEqual({ outcome: 'stored' });
    expect((await build())?.attempts).toHaveLength(1);
  });

  it('is a failure without', async () => {
    expect((await stage.call('/finish', success, token)).body).toEqual({ outcome: 'stored' });
    expect((await build())?.attempts[0]).toMatchObject({ exit: { outcome: 'failed', code: 'empty_output' } });
  });

  it.each([
    {},
    { outcome: 'succeeded' },
    { ...success, summary: 'x'.repeat(4_001) },
    { ...success, more: 1 },
    { outcome: 'failed', failure: { code: 'odd', message: '' } },
  ])('of another shape is refused: %#', async (body) => {
    expect(await stage.call('/finish', body, token)).toMatchObject({
      status: 400,
      type: 'application/problem+json',
    });
    expect((await build())?.state).toBe('running');
  });
});

describe('A transcript', () => {
  let stage: JobStage;
  let token: string;
  let n = 0;
  beforeAll(async () => {
    stage = await openJobStage();
    token = (await stage.claim()).token;
  });
  afterAll(() => stage.stop());
  beforeEach(() => {
    n += 1;
  });
  const chunk = async (number: number) => {
    const bytes = await stage.platform.ports.blobs.get(
      blobKeys.transcript(TENANT, stage.runId, 'build', 1, number),
    );
    return bytes === undefined ? undefined : new TextDecoder().decode(bytes);
  };

  it('is stored once per chunk: the same number again changes nothing', async () => {
    expect((await stage.call('/log', { n, lines: [line] }, token)).status).toBe(200);
    expect((await stage.call('/log', { n, lines: [{ ...line, text: 'other' }] }, token)).status).toBe(200);
    expect(await chunk(n)).toContain('hello');
  });

  it('holds no secret that passed by', async () => {
    const key = `ghp_${'a1B2c3D4e5'.repeat(4).slice(0, 36)}`;
    await stage.call('/log', { n, lines: [{ ...line, text: `the token is ${key}` }] }, token);
    expect(await chunk(n)).toContain('the token is');
    expect(await chunk(n)).not.toContain(key);
  });

  it.each<Record<string, unknown>>([
    { n: -1, lines: [line] },
    { lines: [] },
    { lines: [{ ...line, kind: 'unknown' }] },
    { lines: [line], more: 1 },
    { lines: Array.from({ length: 2_001 }, () => line) },
  ])('of another shape is refused: %#', async (body) => {
    expect(await stage.call('/log', { n, ...body }, token)).toMatchObject({
      status: 400,
      type: 'application/problem+json',
    });
    expect(await chunk(n)).toBeUndefined();
  });
});
