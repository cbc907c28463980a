export type SandboxKind = 'bubblewrap' | 'none';

export interface SandboxCommand {
  /** Program and arguments; no shell is added. */
  argv: string[];
  /** Absolute; inside one of `writable`. */
  cwd: string;
  /** Absolute directories the command may write to; all else of the machine is hidden or read-only. */
  writable: string[];
  /** Absolute directories it may read besides the system's programs and libraries. */
  readable?: string[];
  /** The whole environment besides PATH, LANG and a HOME and TMPDIR of the sandbox's own: nothing is inherited. */
  env?: Record<string, string>;
  /** `none`: no interface but loopback of its own. `setup`: the machine's network, for the repository's own set-up commands. */
  network: 'none' | 'setup';
  timeoutMs: number;
  /** Of each of stdout and stderr; what is over is cut in the middle. */
  maxOutputBytes: number;
  stdin?: string;
  signal?: AbortSignal;
}

export interface SandboxResult {
  /** `null` when a signal ended it. */
  exitCode: number | null;
  stdout: string;
  stderr: string;
  timedOut: boolean;
  truncated: boolean;
  durationMs: number;
}

/** How the processes of an attempt are confined. The whole process group is killed at the limit. */
export interface Sandbox {
  readonly kind: SandboxKind;
  /** Throws only when the command could not be started at all. */
  run(command: SandboxCommand): Promise<SandboxResult>;
}
