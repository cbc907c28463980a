import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync } from 'node:fs';
import { dirname } from 'node:path';

export interface ContainerStart {
  /** Program and arguments. */
  command: string[];
  /** All of it: nothing is inherited. */
  environment: Record<string, string>;
  /** Gets what it prints. */
  logFile?: string | undefined;
}

/** A child process that leads a group and is treated as Cloud Run treats a container. */
export interface Container {
  pid: number | undefined;
  /** Resolves when it is gone: whether it ended well. What it left behind goes with it. */
  ended: Promise<boolean>;
  /** SIGTERM, and SIGKILL for all of it when the grace is over. */
  stop(graceMs: number): Promise<void>;
  /** SIGKILL at once, for all of it. */
  kill(): void;
}

export function startContainer({ command, environment, logFile }: ContainerStart): Container {
  const [program = '', ...args] = command;
  const output = logFile === undefined ? 'ignore' : openLog(logFile);
  const child = spawn(program, args, { env: environment, stdio: ['ignore', output, output], detached: true });
  if (typeof output === 'number') closeSync(output);
  const kill = () => killGroup(child);
  const ended = new Promise<boolean>((resolve) => {
    // A program that does not exist is a container that fails.
    child.once('error', () => child.pid === undefined && resolve(false));
    child.once('exit', (code) => {
      kill();
      resolve(code === 0);
    });
  });
  const stop = async (graceMs: number): Promise<void> => {
    child.kill('SIGTERM');
    const timer = setTimeout(kill, graceMs);
    await ended;
    clearTimeout(timer);
  };
  return { pid: child.pid, ended, stop, kill };
}

function openLog(file: string): number {
  mkdirSync(dirname(file), { recursive: true });
  return openSync(file, 'a');
}

function killGroup({ pid }: ChildProcess): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // Nothing of it is left.
  }
}
