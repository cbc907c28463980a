import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

export const launcher = fileURLToPath(new URL('../../functions/cli/penstock.js', import.meta.url));
const MAX_MS = 240_000;

export interface PenstockOptions {
  env?: Record<string, string>;
  cwd?: string;
  /** For node itself. */
  nodeArgs?: string[];
  program?: string;
  /** Called with stdout so far, whenever there is more; may end the process by the function it is given. */
  onOutput?: (stdout: string, kill: (signal: NodeJS.Signals) => void) => void;
}

export interface Finished {
  code: number | null;
  signal: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
}

/** `penstock` as a process of its own, not on a terminal, with nothing in its environment but what is given. */
export function runPenstock(args: string[], options: PenstockOptions = {}): Promise<Finished> {
  return new Promise((resolve, reject) => {
    const child = spawn(
      process.execPath,
      [...(options.nodeArgs ?? []), options.program ?? launcher, ...args],
      {
        env: { PATH: process.env['PATH'] ?? '', ...options.env },
        cwd: options.cwd ?? process.cwd(),
        stdio: ['ignore', 'pipe', 'pipe'],
      },
    );
    const timer = setTimeout(() => child.kill('SIGKILL'), MAX_MS);
    let stdout = '';
    let stderr = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      stdout += text;
      options.onOutput?.(stdout, (signal) => child.kill(signal));
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
    child.once('error', reject);
    child.once('close', (code, signal) => {
      clearTimeout(timer);
      resolve({ code, signal, stdout, stderr });
    });
  });
}
