import { expect, it, jest } from '@jest/globals';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

jest.setTimeout(300_000);

const leash = new URL('../support/cluster/function-process.ts', import.meta.url).href;
const program = `
  const { spawn } = await import('node:child_process');
  const { LEASH } = await import('${leash}');
  const forever = 'setInterval(() => undefined, 1000)';
  const child = spawn(process.execPath, ['--import=' + LEASH, '-e', forever], { stdio: 'ignore', detached: true });
  process.stdout.write(String(child.pid));
  setInterval(() => undefined, 1000);
`;

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

it('A program of the cluster does not outlive a launcher that is killed', async () => {
  const launcher = spawn(process.execPath, ['--input-type=module', '-e', program], {
    cwd: fileURLToPath(new URL('..', import.meta.url)),
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [told] = (await once(launcher.stdout, 'data')) as [Buffer];
  const pid = Number(told.toString());
  expect(isAlive(pid)).toBe(true);
  launcher.kill('SIGKILL');
  const until = Date.now() + 20_000;
  while (isAlive(pid) && Date.now() < until) await new Promise((resolve) => setTimeout(resolve, 50));
  expect(isAlive(pid)).toBe(false);
});
