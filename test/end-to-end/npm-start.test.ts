import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { inProcess } from '../support/platform.ts';

const execute = promisify(execFile);
const root = fileURLToPath(new URL('../..', import.meta.url));
const cli = join(root, 'functions/cli/penstock.js');
const LIMIT_MS = 300_000;

interface Ended {
  code: number;
  stdout: string;
  stderr: string;
}

/** `npm start` as it is typed, but for the folder; no key, no terminal. */
async function penstock(folder: string, ...args: string[]): Promise<Ended> {
  const { ANTHROPIC_API_KEY: _none, ...inherited } = process.env;
  const env = { ...inherited, PENSTOCK_DATA: join(folder, 'data'), NODE_OPTIONS: '' };
  try {
    const { stdout, stderr } = await execute(process.execPath, [cli, ...args], {
      cwd: folder,
      env,
      timeout: LIMIT_MS,
    });
    return { code: 0, stdout, stderr };
  } catch (error) {
    const { code, stdout, stderr } = error as { code: number; stdout: string; stderr: string };
    return { code, stdout, stderr };
  }
}

inProcess(describe, 'local mode from the command line')('npm start', () => {
  let folder: string;
  let both: [Ended, Ended];

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'penstock-start-'));
    both = await Promise.all([penstock(folder, 'demo'), penstock(folder, 'demo')]);
  }, LIMIT_MS);
  afterAll(() => rm(folder, { recursive: true, force: true }));

  it('works twice at once and ends with exit code 0', () => {
    expect(both.map(({ code, stderr }) => ({ code, stderr }))).toEqual([
      { code: 0, stderr: '' },
      { code: 0, stderr: '' },
    ]);
  });

  it('says in its first line that the model is scripted, and fits on a screen', () => {
    for (const { stdout } of both) {
      const lines = stdout.trimEnd().split('\n');
      expect(lines[0]).toBe(
        'Penstock demo · local mode · scripted model: no AI is called, tokens and cost are simulated',
      );
      expect(lines.length).toBeLessThanOrEqual(60);
    }
  });

  it('prints neither colours nor a spinner without a terminal', () => {
    // eslint-disable-next-line no-control-regex -- this is what must not be there
    expect(both[0].stdout).not.toMatch(/[\u001B\r]/);
  });

  it('shows a test that failed and was fixed, and a pull request that is ready', () => {
    expect(both[0].stdout).toMatch(/storage .*1 failing → fixed → 12 ok/);
    expect(both[0].stdout).toMatch(/PR #2 .*draft → ready .*check run success · 1 comment/);
  });

  it(
    'ends with commands that work when it has ended',
    async () => {
      const { stdout } = both[0];
      const [, directory = '', range = ''] = /git -C (\S+) diff (\S+)/.exec(stdout) ?? [];
      const diff = await execute('git', ['-C', resolve(folder, directory), 'diff', range]);
      expect(diff.stdout).toContain('+++ b/src/storage.js');
      const [, runId = ''] = /npx penstock show (\S+)/.exec(stdout) ?? [];
      const shown = await penstock(folder, 'show', runId);
      expect(shown).toMatchObject({ code: 0, stdout: expect.stringContaining('succeeded') });
      const logs = await penstock(folder, 'logs', runId, 'storage');
      expect(logs).toMatchObject({ code: 0, stdout: expect.stringContaining('run_tests') });
    },
    LIMIT_MS,
  );
});
