import { spawn, type ChildProcessByStdio } from 'node:child_process';
import type { Readable, Writable } from 'node:stream';
import { PenstockError } from '../../ports/penstock-error.ts';

export const GIT_TIMEOUT_MS = 60_000;
export const MAX_GIT_OUTPUT_BYTES = 64 * 1024 * 1024;
const MAX_STDERR_BYTES = 8 * 1024;
const PROGRAM_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/opt/homebrew/bin';

export interface GitOptions {
  /** Directory to run in. */
  cwd: string;
  /** Replaces the repository's own index, so that nobody's staged work is touched. */
  indexFile?: string;
  /** Further variables, such as an identity; they win over the scrubbed ones. */
  env?: Record<string, string>;
  input?: string | Uint8Array;
  /** Transports that git may use. @default none: not even a lazy fetch of a partial clone */
  protocols?: ('file' | 'http' | 'https')[];
  /** @default GIT_TIMEOUT_MS */
  timeoutMs?: number;
  /** @default MAX_GIT_OUTPUT_BYTES */
  maxOutputBytes?: number;
  /** What happens to output over the limit: an error, or git is stopped and the rest is dropped. @default 'fail' */
  overflow?: 'fail' | 'cut';
  /** Exit codes besides 0 that are an answer and not an error. */
  answers?: number[];
  signal?: AbortSignal;
}

export interface GitResult {
  exitCode: number;
  stdout: Buffer;
  stderr: string;
  /** Output was cut at the limit; the exit code then means nothing. */
  truncated: boolean;
}

/**
 * Settings that win over those of the repository: no hooks, no monitor, no pager. With the environment of
 * {@link gitEnvironment}, what stands in a repository's or a user's configuration cannot start a program.
 */
const SETTINGS = [
  'core.hooksPath=/dev/null',
  'core.fsmonitor=false',
  'core.pager=cat',
  'credential.helper=',
  'gc.auto=0',
  'maintenance.auto=false',
];

/** The whole environment of a git process: nothing of ours is inherited. */
export function gitEnvironment(
  options: Pick<GitOptions, 'protocols' | 'indexFile' | 'env'> = {},
): Record<string, string> {
  return {
    PATH: PROGRAM_PATH,
    HOME: '/nonexistent',
    LC_ALL: 'C.UTF-8',
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_CONFIG_GLOBAL: '/dev/null',
    GIT_ATTR_NOSYSTEM: '1',
    GIT_TERMINAL_PROMPT: '0',
    GIT_ASKPASS: '/bin/false',
    GIT_OPTIONAL_LOCKS: '0',
    GIT_NO_REPLACE_OBJECTS: '1',
    GIT_LITERAL_PATHSPECS: '1',
    GIT_ALLOW_PROTOCOL: (options.protocols ?? []).join(':'),
    ...(options.indexFile === undefined ? {} : { GIT_INDEX_FILE: options.indexFile }),
    ...options.env,
  };
}

/**
 * Runs git with scrubbed environment, hooks off, a time limit and an output limit; the whole process group dies at a limit.
 * Errors: `timeout`, `too_large`, `config` (no git on this machine), `internal` (any other exit code; the text has git's own words).
 */
export async function runGit(args: string[], options: GitOptions): Promise<GitResult> {
  const result = await collect(args, options);
  const expected =
    result.exitCode === 0 || result.truncated || (options.answers ?? []).includes(result.exitCode);
  if (expected) return result;
  throw new PenstockError(
    'internal',
    `git ${args[0]} failed in ${options.cwd} with exit code ${result.exitCode}: ${result.stderr.trim() || 'no message'}`,
  );
}

/** `runGit` for commands that answer with one line of text. */
export async function readGit(args: string[], options: GitOptions): Promise<string> {
  return (await runGit(args, options)).stdout.toString('utf8').trimEnd();
}

type Git = ChildProcessByStdio<Writable, Readable, Readable>;

function collect(args: string[], options: GitOptions): Promise<GitResult> {
  const settings = SETTINGS.flatMap((setting) => ['-c', setting]);
  const child = spawn('git', [...settings, ...args], {
    cwd: options.cwd,
    env: gitEnvironment(options),
    stdio: ['pipe', 'pipe', 'pipe'],
    detached: true,
  });
  const maxBytes = options.maxOutputBytes ?? MAX_GIT_OUTPUT_BYTES;
  const stderr = keep(child.stderr, MAX_STDERR_BYTES, () => {});
  const stdout = keep(child.stdout, maxBytes, () => killGroup(child));
  const deadline = watchDeadline(child, options);
  // A git that ends before it has read its input is no error of ours: its exit code says what happened.
  child.stdin.on('error', () => {});
  child.stdin.end(options.input);

  return new Promise((resolve, reject) => {
    child.once('error', (error) => {
      deadline.clear();
      reject(startError(error, options.cwd));
    });
    child.once('close', (code) => {
      deadline.clear();
      const failure =
        deadline.error(args) ??
        (stdout.full() && options.overflow !== 'cut' ? tooLarge(args, maxBytes) : undefined);
      if (failure !== undefined) return reject(failure);
      const text = stderr.bytes().toString('utf8');
      resolve({ exitCode: code ?? -1, stdout: stdout.bytes(), stderr: text, truncated: stdout.full() });
    });
  });
}

function keep(
  stream: Readable,
  maxBytes: number,
  onFull: () => void,
): { bytes: () => Buffer; full: () => boolean } {
  const chunks: Buffer[] = [];
  let size = 0;
  let full = false;
  stream.on('data', (chunk: Buffer) => {
    const room = maxBytes - size;
    if (chunk.length > room && !full) {
      full = true;
      onFull();
    }
    if (room <= 0) return;
    chunks.push(chunk.subarray(0, room));
    size += Math.min(chunk.length, room);
  });
  return { bytes: () => Buffer.concat(chunks), full: () => full };
}

function watchDeadline(
  child: Git,
  options: GitOptions,
): { clear: () => void; error: (args: string[]) => Error | undefined } {
  const timeoutMs = options.timeoutMs ?? GIT_TIMEOUT_MS;
  let timedOut = false;
  const stop = (): void => {
    timedOut = true;
    killGroup(child);
  };
  const timer = setTimeout(stop, timeoutMs);
  options.signal?.addEventListener('abort', stop, { once: true });
  if (options.signal?.aborted === true) stop();
  return {
    clear: () => {
      clearTimeout(timer);
      options.signal?.removeEventListener('abort', stop);
    },
    error: (args) =>
      timedOut
        ? new PenstockError('timeout', `git ${args[0]} in ${options.cwd} was stopped after ${timeoutMs} ms`, {
            retry: 'later',
          })
        : undefined,
  };
}

function killGroup(child: Git): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, 'SIGKILL');
  } catch {
    // It ended on its own.
  }
}

function startError(error: Error, cwd: string): PenstockError {
  return new PenstockError(
    'config',
    `git could not be started in ${cwd} (${error.message}); is git installed, and does the folder exist?`,
  );
}

function tooLarge(args: string[], maxBytes: number): PenstockError {
  return new PenstockError('too_large', `git ${args[0]} printed more than ${maxBytes} bytes`);
}
