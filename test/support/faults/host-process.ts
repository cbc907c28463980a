import { type ChildProcess, spawn } from 'node:child_process';
import { openSync, closeSync } from 'node:fs';
import { faultProgram } from './fault-programs.ts';

const READY_TIMEOUT_MS = 240_000;
const STOP_TIMEOUT_MS = 8_000;

export interface HostProcess {
  /** `exited` where it died before it was ready. */
  ready: Promise<'ready' | 'exited'>;
  hasExited(): boolean;
  /** Nothing is left to deliver. */
  idle(timeoutMs: number): Promise<boolean>;
  stop(): Promise<void>;
}

export function startHostProcess(env: Record<string, string>, logFile: string): HostProcess {
  const log = openSync(logFile, 'a');
  const child = spawn(
    process.execPath,
    ['--disable-warning=ExperimentalWarning', faultProgram('local-host')],
    {
      env: { PATH: process.env['PATH'] ?? '', ...env },
      stdio: ['ignore', log, log, 'ipc'],
    },
  );
  closeSync(log);
  const exited = new Promise<void>((resolve) => {
    child.once('exit', () => resolve());
  });
  const hasExited = (): boolean => child.exitCode !== null || child.signalCode !== null;
  return {
    ready: Promise.race([
      heard(child, 'ready', READY_TIMEOUT_MS).then((is) => (is ? ('ready' as const) : ('exited' as const))),
      exited.then(() => 'exited' as const),
    ]),
    hasExited,
    idle: async (timeoutMs) => {
      if (hasExited()) return false;
      child.send('idle');
      return Promise.race([heard(child, 'idle', timeoutMs), exited.then(() => false)]);
    },
    stop: async () => {
      if (hasExited()) return;
      child.kill('SIGTERM');
      const timer = setTimeout(() => child.kill('SIGKILL'), STOP_TIMEOUT_MS);
      await exited;
      clearTimeout(timer);
    },
  };
}

function heard(child: ChildProcess, wanted: string, timeoutMs: number): Promise<boolean> {
  return new Promise((resolve) => {
    const done = (is: boolean): void => {
      clearTimeout(timer);
      child.off('message', onMessage);
      resolve(is);
    };
    const onMessage = (message: unknown): void => {
      if (message === wanted) done(true);
    };
    const timer = setTimeout(() => done(false), timeoutMs);
    child.on('message', onMessage);
  });
}
