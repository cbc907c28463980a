import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** What a client has to know of the stand-in to send what GitHub would send. */
export interface BenchGithub {
  /** Settings of a platform whose App is installed there. */
  environment: Record<string, string>;
  webhookSecret: string;
  repository: string;
  installationId: number;
  issue: { number: number; html_url: string };
}

const PROGRAM = fileURLToPath(new URL('github.ts', import.meta.url));
const removals = new Set<() => void>();

/** For a bench that is interrupted. */
export function removeAllGithubs(): void {
  for (const remove of removals) remove();
}

/** The stand-in with one repository, and one issue of somebody who may only read it. */
export async function startGithubProcess(reader: string): Promise<BenchGithub & { remove(): void }> {
  const folder = mkdtempSync(join(tmpdir(), 'penstock-bench-github-'));
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', PROGRAM, folder, reader], {
    env: { PATH: process.env['PATH'] ?? '' },
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  const remove = (): void => {
    removals.delete(remove);
    child.kill('SIGKILL');
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  };
  removals.add(remove);
  const ready = await new Promise<BenchGithub>((resolve, reject) => {
    child.once('message', (message) => resolve(message as BenchGithub));
    child.once('exit', (code) => reject(new Error(`the GitHub stand-in ended with code ${code}`)));
  });
  return { ...ready, remove };
}
