import { describe, expect, it } from '@jest/globals';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const PLATFORM = fileURLToPath(new URL('../support/faults/start-one-job.ts', import.meta.url));
const PATIENCE_MS = 60_000;

describe('a job whose platform is killed', () => {
  it('goes on, and its log too', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'penstock-job-'));
    try {
      const platform = spawn(process.execPath, [PLATFORM, folder], { stdio: 'ignore' });
      const [, signal] = (await once(platform, 'exit')) as [number | null, string | null];
      expect(signal).toBe('SIGKILL');
      const log = join(folder, 'r.t.1.log');
      expect(await readFile(log, 'utf8')).not.toContain('line 19');
      const deadline = Date.now() + PATIENCE_MS;
      while (Date.now() < deadline && !(await readFile(log, 'utf8')).includes('line 19')) await sleep(50);
      const lines = (await readFile(log, 'utf8')).trim().split('\n');
      expect(lines).toEqual(Array.from({ length: 20 }, (_, n) => `line ${n}`));
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });
});
