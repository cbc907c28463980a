import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runPenstock } from '../../support/run-penstock.ts';

const GOOD = `# greet: says hello after a while.
main:
  params: [input]
  steps:
    - rest:
        call: sys.sleep
        args:
          seconds: 86400
    - say:
        assign:
          - words: \${"hello " + input.name}
    - end_well:
        switch:
          - condition: \${input.name == "nobody"}
            raise: \${words}
    - give:
        return:
          words: \${words}
          whole: 1
          double: 1.0
`;
const BAD = '- one:\n    call: http.get\n- two:\n    next: three\n';
const ASKS =
  '- ask:\n    call: http.get\n    args:\n      url: http://127.0.0.1:9/\n      auth:\n        type: OIDC\n';
const UNSURE = '- one:\n    return: "n: ${1}"\n';

describe('penstock workflows', () => {
  let folder: string;
  const file = (name: string): string => join(folder, name);
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'penstock-workflows-'));
    writeFileSync(file('greet.yaml'), GOOD);
    writeFileSync(file('bad.yaml'), BAD);
    writeFileSync(file('unsure.yaml'), UNSURE);
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  const penstock = (...args: string[]) => runPenstock(['workflows', ...args]);

  it('lists what a folder has, and checks it with line and column', async () => {
    const [listed, linted, json] = await Promise.all([
      penstock('list', '--folder', folder),
      penstock('lint', '--folder', folder),
      penstock('lint', file('greet.yaml'), file('bad.yaml'), '--json'),
    ]);
    expect(listed).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^greet +says hello after a while\.$/m),
    });
    expect(linted.code).toBe(1);
    expect(linted.stdout.replaceAll(`${folder}/`, '').split('\n')).toEqual([
      "bad.yaml:2:11 http.get lacks its argument 'url'",
      expect.stringMatching(/^bad\.yaml:4:11 there is no step 'three'/),
      'greet.yaml: ok',
      'unsure.yaml: unverified against Google:',
      expect.stringMatching(/^ {2}unsure\.yaml:2:13 /),
      '',
    ]);
    expect(JSON.parse(json.stdout)).toMatchObject({
      ok: false,
      files: [
        { problems: [] },
        {
          problems: [
            { line: 2, column: 11, severity: 'error' },
            { line: 4, column: 11 },
          ],
        },
      ],
    });
  });

  it('runs a file with an argument, prints what it returns, and traces its steps', async () => {
    const run = ['run', file('greet.yaml'), '--virtual-time', '--data'];
    const [good, traced, failed] = await Promise.all([
      penstock(...run, '{"name":"Ada"}', '--json'),
      penstock(...run, '{"name":"Ada"}', '--trace'),
      penstock(...run, '{"name":"nobody"}', '--json'),
    ]);
    expect(good).toMatchObject({
      code: 0,
      stdout: '{"words":"hello Ada","whole":1,"double":1.0}\n',
      stderr: '',
    });
    expect(traced.stderr).toMatch(/^ +5 {2}running {4}main\/rest/m);
    expect(traced.stderr).toMatch(/^ +9 {2}succeeded {2}main\/say {2}words = "hello Ada"$/m);
    expect(failed.code).toBe(1);
    expect(JSON.parse(failed.stdout)).toMatchObject({
      state: 'failed',
      error: { payload: '"hello nobody"' },
    });
    expect(failed.stderr).toMatch(/in step "end_well", routine "main", line: 12/);
  });

  it('asks with your Google credentials where it is told to, and else says how', async () => {
    writeFileSync(file('asks.yaml'), ASKS);
    const args = ['workflows', 'run', file('asks.yaml')];
    const [asNobody, unable] = await Promise.all([
      runPenstock(args),
      runPenstock([...args, '--google-auth'], {
        env: { GOOGLE_APPLICATION_CREDENTIALS: file('no-such-key.json') },
      }),
    ]);
    expect([asNobody.code, unable.code]).toEqual([1, 1]);
    expect(asNobody.stderr).toContain(
      'AuthError: no OIDC token: workflows run has no identity; give --google-auth to ask with yours',
    );
    expect(unable.stderr).toMatch(/AuthError: no OIDC token: .*no-such-key\.json/);
  });

  it('says what is wrong with a command, and ends with 2', async () => {
    const ended = await Promise.all([
      penstock('run'),
      penstock('run', file('bad.yaml')),
      penstock('run', file('none.yaml')),
      penstock('run', file('greet.yaml'), '--data', '{'),
      penstock('run', file('greet.yaml'), '--env', 'x'),
    ]);
    expect(ended.map(({ code }) => code)).toEqual([2, 2, 2, 2, 2]);
    expect(ended[1]?.stderr).toMatch(/bad\.yaml:2:11 http\.get lacks its argument 'url'/);
  });
});
