import { spawn, type ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { builtJob } from '../../support/built-programs.ts';

const source = fileURLToPath(new URL('../../../functions/agent-job/main.ts', import.meta.url));
const logEntry = z.looseObject({ severity: z.string(), message: z.string(), stage: z.string().optional() });
type LogEntry = z.infer<typeof logEntry>;
const MAX_RUN_MS = 240_000;

export interface JobProcess {
  child: ChildProcess;
  /** Exit code, or the signal that ended it. */
  ended: Promise<number | NodeJS.Signals>;
  /** Lines of its log so far. */
  log(): LogEntry[];
  text(): string;
}

/** The job program as a process of its own, with nothing in its environment but what a job is given. */
export function startJobProcess(
  environment: Record<string, string>,
  program = builtJob() ?? source,
): JobProcess {
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', program], {
    env: { PATH: process.env['PATH'] ?? '', ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let text = '';
  child.stderr?.on('data', (chunk: Buffer) => (text += chunk.toString()));
  child.stdout?.on('data', (chunk: Buffer) => (text += chunk.toString()));
  const timer = setTimeout(() => child.kill('SIGKILL'), MAX_RUN_MS);
  const ended = new Promise<number | NodeJS.Signals>((resolve) => {
    child.once('close', (code, signal) => {
      clearTimeout(timer);
      resolve(code ?? signal ?? 'SIGKILL');
    });
  });
  const log = (): LogEntry[] =>
    text
      .split('\n')
      .filter((line) => line.startsWith('{'))
      .map((line) => logEntry.parse(JSON.parse(line)));
  return { child, ended, log, text: () => text };
}
