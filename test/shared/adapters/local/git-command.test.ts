import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { gitEnvironment, readGit, runGit } from '../../../../shared/adapters/local/git-command.ts';

let cwd: string;
beforeAll(async () => {
  cwd = mkdtempSync(join(tmpdir(), 'git-command-'));
  await runGit(['init', '--quiet', '.'], { cwd });
});
afterAll(() => rmSync(cwd, { recursive: true, force: true }));

const clone = (protocols: 'file'[]) =>
  runGit(['clone', '--quiet', `file://${cwd}`, join(cwd, `copy${protocols.length}`)], { cwd, protocols });

describe('a git command', () => {
  it('inherits no variable of this process', async () => {
    process.env['PENSTOCK_TEST_SECRET'] = 'secret';
    try {
      const shown = await readGit(['-c', 'alias.show-env=!env', 'show-env'], { cwd });
      expect(shown).not.toContain('PENSTOCK_TEST_SECRET');
      expect(shown).toContain('GIT_TERMINAL_PROMPT=0');
    } finally {
      delete process.env['PENSTOCK_TEST_SECRET'];
    }
  });
  it('is stopped with all its children at the time limit', async () => {
    const started = performance.now();
    const sleeping = runGit(['-c', 'alias.wait=!sleep 30 & sleep 30', 'wait'], { cwd, timeoutMs: 300 });
    await expect(sleeping).rejects.toMatchObject({ code: 'timeout', retry: 'later' });
    expect(performance.now() - started).toBeLessThan(5_000);
  });
  it('is stopped at the output limit, with an error or with what it has printed so far', async () => {
    const endless = ['-c', 'alias.yes=!yes', 'yes'];
    await expect(runGit(endless, { cwd, maxOutputBytes: 1_000 })).rejects.toMatchObject({
      code: 'too_large',
    });
    const cut = await runGit(endless, { cwd, maxOutputBytes: 1_000, overflow: 'cut' });
    expect([cut.stdout.length, cut.truncated]).toEqual([1_000, true]);
  });
  it('uses no transport that it was not given', async () => {
    await expect(clone([])).rejects.toThrow(/transport 'file' not allowed/);
    await expect(clone(['file'])).resolves.toMatchObject({ exitCode: 0 });
    expect(gitEnvironment()['GIT_ALLOW_PROTOCOL']).toBe('');
  });
  it('says what git said, and that a folder is missing', async () => {
    await expect(runGit(['rev-parse', 'no-such-thing'], { cwd })).rejects.toThrow(
      /rev-parse failed .* 128: .*no-such-thing/s,
    );
    await expect(runGit(['status'], { cwd: '/no/such/folder' })).rejects.toMatchObject({ code: 'config' });
  });
});
