import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { createRequire } from 'node:module';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

export interface FunctionProgram {
  name: string;
  /** Module that registers the function. */
  source: string;
  signature: 'http' | 'cloudevent';
  port: number;
  env: Record<string, string>;
  logFile: string;
}

export interface FunctionProcess {
  name: string;
  pid(): number | undefined;
  /** Begins it, or begins it again on the same port; resolves when it listens. */
  start(): Promise<void>;
  /** As a crash does. Resolves when it is gone. */
  kill(): Promise<void>;
}

const START_TIMEOUT_MS = 120_000;
const FRAMEWORK = createRequire(import.meta.url).resolve('@google-cloud/functions-framework');
/** To be imported before a program that is not to outlive the launcher. */
export const LEASH = new URL(`leash.ts?parent=${process.pid}`, import.meta.url).href;

/** One function as a process of its own, started by the functions framework. */
export function functionProcess(program: FunctionProgram): FunctionProcess {
  let child: ChildProcess | undefined;
  return {
    name: program.name,
    pid: () => child?.pid,
    start: async () => {
      child = spawnFramework(program);
      await listens(program, child);
    },
    kill: async () => {
      const ending = child;
      child = undefined;
      if (ending === undefined || ending.exitCode !== null || ending.signalCode !== null) return;
      const exited = once(ending, 'exit');
      ending.kill('SIGKILL');
      await exited;
    },
  };
}

function spawnFramework({ name, source, signature, port, env, logFile }: FunctionProgram): ChildProcess {
  const main = fileURLToPath(new URL('main.js', `file://${FRAMEWORK}`));
  const args = ['--disable-warning=ExperimentalWarning', `--import=${LEASH}`, main];
  const options = [`--target=${name}`, `--source=${source}`, `--signature-type=${signature}`];
  const output = openSync(logFile, 'a');
  try {
    return spawn(process.execPath, [...args, ...options], {
      env: { ...env, PORT: String(port) },
      stdio: ['ignore', output, output],
    });
  } finally {
    closeSync(output);
  }
}

async function listens({ name, port, logFile }: FunctionProgram, child: ChildProcess): Promise<void> {
  const until = Date.now() + START_TIMEOUT_MS;
  while (Date.now() < until) {
    const end = child.exitCode ?? child.signalCode;
    if (end !== null) throw new Error(`${name} ended with ${end} before it listened; ${logFile} says why`);
    if (await answers(port)) return;
    await sleep(30);
  }
  throw new Error(`${name} does not listen after ${START_TIMEOUT_MS} ms; ${logFile} says why`);
}

/** Whether something listens there. */
export async function answers(port: number): Promise<boolean> {
  const socket = connect({ host: '127.0.0.1', port });
  try {
    await once(socket, 'connect');
    // A connection to a port where nobody listens may get that very port and be connected to itself.
    return socket.localPort !== port;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}
