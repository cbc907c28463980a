import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runView } from '../../../shared/messages/run-view.ts';
import { type Finished, runPenstock } from '../../support/run-penstock.ts';
import { createSampleRepository, type SampleRepository } from '../../support/sample-repository.ts';

const files = {
  'package.json': '{"type":"module","scripts":{"test":"node --test"}}\n',
  'greet.js': "export const greet = () => 'hi';\n",
  'greet.test.js':
    "import assert from 'node:assert';\nimport test from 'node:test';\nimport { greet } from './greet.js';\ntest('greets', () => assert.equal(greet(), 'hello'));\n",
};

const plan = {
  tasks: [{ id: 'mend', agent: 'backend_developer', instructions: 'greet says hello', scope: ['greet.js'] }],
};

const script = `
name: mend-greet
note: scripted by hand
turns:
  - id: look
    agent: backend_developer
    when: { task: mend, assistantTurns: 0 }
    answer: { text: First the tests., tool_uses: [{ name: run_tests, input: {} }] }
  - id: mend
    agent: backend_developer
    when: { task: mend, assistantTurns: 1, lastToolResultContains: ['AssertionError'] }
    answer:
      text: It says hi.
      tool_uses:
        - { name: edit_file, input: { path: greet.js, old: "'hi'", new: "'hello'" } }
        - { name: run_tests, input: {} }
  - id: done
    agent: backend_developer
    when: { task: mend, assistantTurns: 2, lastToolResultContains: ['1 passed'] }
    answer: { text: greet says hello. }
  - id: judge
    agent: code_reviewer
    answer: { json: { verdict: approve, summary: As asked., remarks: [] } }
`;

/** One run of the real platform in the process of `penstock submit`; the tests look at it from other processes. */
describe('penstock submit without a server', () => {
  let folder: string;
  let sample: SampleRepository;
  let submitted: Finished;
  const env = { PENSTOCK_SANDBOX: 'none' };
  const penstock = (...args: string[]) => runPenstock(args, { cwd: folder, env });
  const git = (...args: string[]) => execFileSync('git', args, { cwd: sample.folder, encoding: 'utf8' });
  const runId = () => /→ run (\w+)/.exec(submitted.stdout)?.[1] ?? '';

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'penstock-cli-'));
    sample = createSampleRepository(files);
    writeFileSync(join(folder, 'script.yaml'), script);
    writeFileSync(join(folder, 'plan.json'), JSON.stringify(plan));
    const args = ['--repo', sample.folder, '--model', 'script:script.yaml', '--plan', 'plan.json'];
    submitted = await penstock('submit', ...args, 'greet should say hello');
  });

  afterAll(() => {
    sample.remove();
    rmSync(folder, { recursive: true, force: true });
  });

  it('runs it in its own process and tells it from the record', () => {
    expect(submitted).toMatchObject({ code: 0, stderr: '' });
    expect(submitted.stdout).toMatch(
      /mend +backend_developer {3}job +\+1 −1 +tests 0 ok, 1 failing → fixed → 1 ok/,
    );
    expect(submitted.stdout).toContain(
      `1 change set on base ${sample.baseSha.slice(0, 7)}, checks after each: ok`,
    );
    expect(submitted.stdout).toMatch(/branch +penstock\/\w+ {3}1 file \+1 −1/);
    expect(submitted.stdout).toContain('scripted model: tokens and cost are simulated');
  });

  it('leaves the working tree untouched and the result on a branch, as the printed command shows', () => {
    expect(git('status', '--porcelain')).toBe('');
    expect(git('rev-parse', 'main').trim()).toBe(sample.baseSha);
    const command = /^ {2}git -C \S+ (diff \S+)$/m.exec(submitted.stdout)?.[1] ?? '';
    expect(git(...command.split(' '))).toContain("+export const greet = () => 'hello';");
  });

  it('can be shown afterwards, from its folder, by the start of its id', async () => {
    const { code, stdout } = await penstock('show', runId().slice(0, 4));
    expect(code).toBe(0);
    expect(stdout).toContain(`run ${runId()}   succeeded   greet should say hello`);
    expect(stdout).toContain('check `npm test` ok: 1 passed');
    const json = await penstock('runs', '--json');
    const { items } = JSON.parse(json.stdout) as { items: unknown[] };
    expect(items.map((item) => runView.parse(item).id)).toEqual([runId()]);
  });

  it('can be told again, and its transcript read', async () => {
    const [watched, logs] = await Promise.all([
      penstock('watch', runId()),
      penstock('logs', runId(), 'mend'),
    ]);
    const ofTimeline = (text: string) => text.split('\n').filter((line) => /^ ?\d+\.\ds/.test(line));
    expect(ofTimeline(watched.stdout)).toEqual(ofTimeline(submitted.stdout));
    expect(watched.code).toBe(0);
    expect(logs.stdout).toMatch(/agent {2}It says hi\.[\s\S]*ran {4}edit_file .*greet\.js/);
  });

  it('has no page and nothing to cancel any more, and says what would bring them back', async () => {
    const [open, cancel] = await Promise.all([penstock('open', runId()), penstock('cancel', runId())]);
    expect(open).toMatchObject({ code: 3, stdout: '' });
    expect(open.stderr).toMatch(/start one with 'penstock up --data \.penstock\/run-\w+'/);
    expect(cancel).toMatchObject({ code: 3, stdout: '' });
  });

  it('keeps its data out of a repository that it may stand in', () => {
    expect(readFileSync(join(folder, '.penstock', '.gitignore'), 'utf8')).toBe('*\n');
    expect(existsSync(join(sample.folder, '.penstock'))).toBe(false);
  });
});
