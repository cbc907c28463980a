import { spawn, type ChildProcess } from 'node:child_process';
import { Writable, type Readable } from 'node:stream';
import { PenstockError } from '../../ports/penstock-error.ts';
import { createBoundedOutput, type BoundedOutput } from './bounded-output.ts';

/** After the program itself has ended, a stray process may hold its pipes open no longer than this. */
const PIPE_GRACE_MS = 1_000;

export interface ProcessRequest {
  argv: string[];
  cwd: string;
  /** The whole environment. */
  env: Record<string, string>;
  stdin?: string | Uint8Array;
  /** Contents of file descriptors 3, 4, …: for what must stand neither in the arguments nor on disk. */
  inputs?: (string | Uint8Array)[];
  timeoutMs: number;
  /** Of each of stdout and stderr; the middle of what is over is dropped. */
  maxOutputBytes: number;
  signal?: AbortSignal;
}

export interface ProcessResult {
  /** `null` when a signal ended it. */
  exitCode: number | null;
  stdout: BoundedOutput;
  stderr: BoundedOutput;
  timedOut: boolean;
  durationMs: number;
}

/**
 * Runs a program in a process group of its own, which is killed as a whole at the time limit, on abort, and after the
 * program itself has ended. Throws only when it could not be started.
 */
export async function runProcess(request: ProcessRequest): Promise<ProcessResult> {
  request.signal?.throwIfAborted();
  const startedAt = performance.now();
  const child = start(request);
  const stdout = collect(child.stdout, request.maxOutputBytes);
  const stderr = collect(child.stderr, request.maxOutputBytes);
  const kill = (): void => killGroup(child);
  let timedOut = false;
  const timer = setTimeout(() => {
    timedOut = true;
    kill();
  }, request.timeoutMs);
  request.signal?.addEventListener('abort', kill, { once: true });
  try {
    const ended = untilEnd(child);
    feed(child, request);
    const exitCode = await ended;
    return { exitCode, stdout, stderr, timedOut, durationMs: performance.now() - startedAt };
  } catch (cause) {
    throw notStarted(request, cause);
  } finally {
    clearTimeout(timer);
    request.signal?.removeEventListener('abort', kill);
  }
}

function start(request: ProcessRequest): ChildProcess {
  const [program = '', ...args] = request.argv;
  try {
    return spawn(program, args, {
      cwd: request.cwd,
      env: request.env,
      detached: true,
      stdio: ['pipe', 'pipe', 'pipe', ...(request.inputs ?? []).map(() => 'pipe' as const)],
    });
  } catch (cause) {
    throw notStarted(request, cause);
  }
}

function notStarted(request: ProcessRequest, cause: unknown): PenstockError {
  const why = cause instanceof Error ? cause.message : String(cause);
  const hint = 'check that the program and its folder exist';
  return new PenstockError('invalid', `could not start ${request.argv[0] ?? 'nothing'}: ${why}; ${hint}`, {
    cause,
  });
}

function collect(stream: Readable | null, maxBytes: number): BoundedOutput {
  const output = createBoundedOutput(maxBytes);
  stream?.on('data', (chunk: Buffer) => output.add(chunk));
  stream?.on('error', () => undefined);
  return output;
}

function feed(child: ChildProcess, request: ProcessRequest): void {
  const inputs = [request.stdin ?? '', ...(request.inputs ?? [])];
  const streams = [child.stdin, ...child.stdio.slice(3)];
  for (const [index, stream] of streams.entries()) {
    if (!(stream instanceof Writable)) continue;
    // A program may end without having read its input; that is no error of ours.
    stream.on('error', () => undefined);
    stream.end(inputs[index]);
  }
}

function untilEnd(child: ChildProcess): Promise<number | null> {
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (exitCode) => {
      killGroup(child);
      const grace = setTimeout(() => {
        child.stdout?.destroy();
        child.stderr?.destroy();
        resolve(exitCode);
      }, PIPE_GRACE_MS);
      child.once('close', () => {
        clearTimeout(grace);
        resolve(exitCode);
      });
    });
  });
}

function killGroup(child: ChildProcess): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, 'SIGKILL');
  } catch {
    // The whole group has ended already.
  }
}
