import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Sandbox, SandboxCommand } from '../../shared/ports/sandbox.ts';

/** What every sandbox does, however it confines. */
export function sandboxContract(make: () => Sandbox): void {
  describe('a sandbox', () => {
    let folder: string;
    const run = (argv: string[], change: Partial<SandboxCommand> = {}) =>
      make().run({
        argv,
        cwd: folder,
        writable: [folder],
        network: 'none',
        timeoutMs: 10_000,
        maxOutputBytes: 10_000,
        ...change,
      });
    const shell = (script: string, change: Partial<SandboxCommand> = {}) => run(['sh', '-c', script], change);

    beforeEach(async () => {
      folder = await mkdtemp(join(tmpdir(), 'penstock-contract-'));
    });
    afterEach(() => rm(folder, { recursive: true, force: true }));

    it('runs a program in its folder and hands back its output and exit code', async () => {
      const result = await shell('pwd; echo problem >&2; exit 3');
      expect(result).toMatchObject({
        exitCode: 3,
        stdout: `${folder}\n`,
        stderr: 'problem\n',
        timedOut: false,
        truncated: false,
      });
      expect(result.durationMs).toBeGreaterThan(0);
    });

    it('adds no shell and passes arguments as they are', async () => {
      const result = await run(['printf', '%s|', '$HOME; exit', 'a b', '']);
      expect(result.stdout).toBe('$HOME; exit|a b||');
    });

    it('hands over standard input, and none is an empty one', async () => {
      expect((await run(['cat'], { stdin: 'zażółć' })).stdout).toBe('zażółć');
      expect((await run(['cat'])).stdout).toBe('');
    });

    it('lets the command write in its folder', async () => {
      await shell('echo kept > file');
      expect(await readFile(join(folder, 'file'), 'utf8')).toBe('kept\n');
    });

    it('inherits no environment but PATH, LANG, HOME and TMPDIR of its own', async () => {
      process.env['PENSTOCK_CONTRACT_SECRET'] = 'leaked';
      try {
        const result = await run(['env'], { env: { CI: '1' } });
        const names = result.stdout
          .trim()
          .split('\n')
          .map((line) => line.split('=')[0]);
        expect(new Set(names.filter((name) => name !== 'PWD'))).toEqual(
          new Set(['CI', 'HOME', 'LANG', 'PATH', 'TMPDIR']),
        );
        expect(result.stdout).not.toContain(process.env['HOME'] + '\n');
      } finally {
        delete process.env['PENSTOCK_CONTRACT_SECRET'];
      }
    });

    it('runs the same Node as the platform', async () => {
      expect((await run(['node', '--version'])).stdout.trim()).toBe(process.version);
    });

    it('kills the command and its grandchildren at the time limit', async () => {
      const result = await shell('(while true; do echo x >> beat; sleep 0.05; done) & sleep 60', {
        timeoutMs: 500,
      });
      expect(result).toMatchObject({ exitCode: null, timedOut: true });
      expect(result.durationMs).toBeLessThan(5_000);
      await expectNoMoreBeats(folder);
    });

    it('kills what the command leaves running when it ends', async () => {
      const result = await shell('(while true; do echo x >> beat; sleep 0.05; done) & sleep 0.3');
      expect(result).toMatchObject({ exitCode: 0, timedOut: false });
      await expectNoMoreBeats(folder);
    });

    it('kills the command on abort', async () => {
      const controller = new AbortController();
      setTimeout(() => controller.abort(), 300);
      const result = await shell('(while true; do echo x >> beat; sleep 0.05; done) & sleep 60', {
        signal: controller.signal,
      });
      expect(result).toMatchObject({ exitCode: null, timedOut: false });
      await expectNoMoreBeats(folder);
    });

    it('does not start when it is aborted already', async () => {
      await expect(shell('touch started', { signal: AbortSignal.abort() })).rejects.toThrow('aborted');
      await expect(readFile(join(folder, 'started'))).rejects.toThrow('ENOENT');
    });

    it('cuts output in the middle, of each stream by itself, without splitting a character', async () => {
      const result = await shell('echo first; yes żółw | head -c 3000000; echo last; echo small >&2', {
        maxOutputBytes: 1_001,
      });
      expect(result.truncated).toBe(true);
      expect(Buffer.byteLength(result.stdout)).toBeLessThan(1_101);
      expect(result.stdout).toMatch(/^first\n/);
      expect(result.stdout).toMatch(/last\n$/);
      expect(result.stdout).toMatch(/… \d+ bytes left out …/);
      expect(result.stdout).not.toContain('\uFFFD');
      expect(result.stderr).toBe('small\n');
    });

    it('hands back the exit code of a shell that does not find a program', async () => {
      expect((await shell('no-such-program-here')).exitCode).toBe(127);
    });

    it('throws when the program itself cannot be started', async () => {
      await expect(run(['/no/such/program'])).rejects.toMatchObject({ code: 'invalid' });
    });

    it('refuses a working folder that is not writable, relative folders and the whole machine', async () => {
      await expect(run(['true'], { cwd: '/usr' })).rejects.toThrow('/usr is not writable');
      await expect(run(['true'], { writable: [folder, 'src'] })).rejects.toThrow('not an absolute path');
      await expect(run(['true'], { writable: ['/'] })).rejects.toThrow('/ cannot be writable');
    });
  });
}

async function expectNoMoreBeats(folder: string): Promise<void> {
  await sleep(100);
  const before = await readFile(join(folder, 'beat'), 'utf8');
  await sleep(300);
  expect(before.length).toBeGreaterThan(0);
  expect(await readFile(join(folder, 'beat'), 'utf8')).toBe(before);
}
