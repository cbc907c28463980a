import { describe, expect, it } from '@jest/globals';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runPenstock } from '../../support/run-penstock.ts';

describe('penstock up', () => {
  it('answers at the address that it prints, lets others find it by its folder, and ends with 0 when told to', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'penstock-up-'));
    const env = { PENSTOCK_SANDBOX: 'none', ANTHROPIC_API_KEY: 'sk-none' };
    let asked: Promise<[number, unknown, string]> | undefined;
    try {
      const up = await runPenstock(['up', '--port', '0', '--json'], {
        cwd: folder,
        env,
        onOutput: (stdout, kill) => {
          const { url } = JSON.parse(stdout) as { url: string };
          asked ??= ask(url, folder).finally(() => kill('SIGTERM'));
        },
      });
      const [status, list, found] = (await asked) ?? [];
      expect({ code: up.code, status, list, found }).toEqual({
        code: 0,
        status: 200,
        list: { items: [] },
        found: "no runs yet; 'penstock submit' starts one\n",
      });
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });

  it('refuses a port that is none', async () => {
    const { code, stderr } = await runPenstock(['up', '--port', 'http']);
    expect({ code, stderr }).toEqual({
      code: 2,
      stderr: "penstock: --port is 'http' and takes a number from 0 to 65535\n",
    });
  });
});

async function ask(url: string, folder: string): Promise<[number, unknown, string]> {
  const response = await fetch(`${url}/api/runs`);
  const found = await runPenstock(['runs'], { cwd: folder });
  return [response.status, await response.json(), found.stdout];
}
