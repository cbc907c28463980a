import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Bill } from '../support/count-ports.ts';

/** What the bench may ask the platform's process, and what it answers. */
export interface HostAnswers {
  /** Every message so far is handled. */
  idle: void;
  /** Bytes; after a full garbage collection where the process has `--expose-gc`. */
  memory: { rss: number; heapUsed: number };
  /** `rowsChanged`: rows of documents that were changed, by SQLite's own count. */
  bill: Bill & { rowsChanged: number };
  settings: { journalMode: string; synchronous: number };
  /** Begins a CPU profile. */
  profile: void;
  /** Ends it, into the file that is named. */
  saveProfile: void;
  stop: void;
}
export type HostQuestion = keyof HostAnswers;

export interface HostProcess {
  url: string;
  dataFolder: string;
  ask<Q extends HostQuestion>(question: Q, text?: string): Promise<HostAnswers[Q]>;
  /** The end of its log. */
  readLog(): string;
  /** Stops the platform and keeps its data folder. */
  stop(): Promise<void>;
  /** Stops what is left of it at once and removes its data folder. */
  remove(): void;
}

export interface HostProcessOptions {
  /** Flags of Node. */
  flags?: string[];
  isCounted?: boolean;
  env?: Record<string, string>;
}

const PROGRAM = fileURLToPath(new URL('host.ts', import.meta.url));
const COMPILE_CACHE = fileURLToPath(new URL('../../node_modules/.cache/penstock', import.meta.url));
const LOG_TAIL_CHARS = 2_000;

const live = new Set<HostProcess>();

/** For a bench that is interrupted: no process and no folder stays behind. */
export function removeAllHosts(): void {
  for (const host of live) host.remove();
}

/** A platform on a new folder, with nothing of this process's environment but the path. */
export async function startHostProcess(options: HostProcessOptions = {}): Promise<HostProcess> {
  const { flags = [], isCounted = false, env = {} } = options;
  const dataFolder = mkdtempSync(join(tmpdir(), 'penstock-bench-'));
  const logFile = join(dataFolder, 'bench.log');
  const log = openSync(logFile, 'a');
  const args = [
    ...flags,
    '--disable-warning=ExperimentalWarning',
    PROGRAM,
    ...(isCounted ? ['--count'] : []),
  ];
  const child = spawn(process.execPath, args, {
    env: {
      PATH: process.env['PATH'] ?? '',
      NODE_COMPILE_CACHE: COMPILE_CACHE,
      PORT: '0',
      PENSTOCK_DATA: dataFolder,
      // Nobody answers there: a call of a model or of GitHub would fail its run, and with it the bench.
      ANTHROPIC_BASE_URL: 'http://127.0.0.1:9',
      GITHUB_API_URL: 'http://127.0.0.1:9',
      ...env,
    },
    stdio: ['ignore', log, log, 'ipc'],
  });
  closeSync(log);
  const readLog = (): string => readFileSync(logFile, 'utf8').slice(-LOG_TAIL_CHARS);
  const listen = createListener(child, readLog);
  const host: HostProcess = {
    url: '',
    dataFolder,
    readLog,
    ask: async (question, text = '') => {
      const answer = listen();
      if (child.connected) child.send({ question, text });
      return (await answer) as never;
    },
    stop: async () => {
      const exited = new Promise((resolve) => child.once('exit', resolve));
      await host.ask('stop');
      await exited;
    },
    remove: () => {
      live.delete(host);
      child.kill('SIGKILL');
      rmSync(dataFolder, { recursive: true, force: true, maxRetries: 5 });
    },
  };
  live.add(host);
  host.url = String(await listen());
  return host;
}

/** Waits for one answer at a time. An answer is `{value}` or `{error}`; a process that ended has none any more. */
function createListener(child: ChildProcess, readLog: () => string): () => Promise<unknown> {
  return () =>
    new Promise((resolve, reject) => {
      const onExit = (): void => {
        const how = child.signalCode ?? `code ${child.exitCode}`;
        reject(new Error(`the platform's process ended with ${how}; its log ends in:\n${readLog()}`));
      };
      if (child.exitCode !== null || child.signalCode !== null) return onExit();
      child.once('exit', onExit);
      child.once('message', (answer: { value?: unknown; error?: string }) => {
        child.off('exit', onExit);
        if (answer.error === undefined) resolve(answer.value);
        else reject(new Error(answer.error));
      });
    });
}
