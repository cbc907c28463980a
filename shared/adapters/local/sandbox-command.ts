import { dirname, isAbsolute, resolve, sep } from 'node:path';
import { PenstockError } from '../../ports/penstock-error.ts';
import type { SandboxCommand, SandboxResult } from '../../ports/sandbox.ts';
import type { ProcessResult } from './run-process.ts';

export interface SandboxConfig {
  /** Folders of programs, before the system's own. The folder of the running Node is always the first. */
  path?: string[];
  /** Absolute folders besides the system's that every command may read, such as a toolchain's. */
  readable?: string[];
  /** Environment that every command gets, such as `RUSTUP_HOME`. Never a secret: repository code sees it. */
  env?: Record<string, string>;
}

/** Folder of the running Node's own program. */
export const nodeFolder = dirname(process.execPath);
const SYSTEM_PATH = ['/usr/local/bin', '/usr/bin', '/bin', '/usr/sbin', '/sbin'];

/** Throws `invalid` for a command that no sandbox can run as it is meant. */
export function checkCommand(command: SandboxCommand): void {
  const folders = [command.cwd, ...command.writable, ...(command.readable ?? [])];
  const reasons = [
    ...(command.argv.length === 0 ? ['argv is empty'] : []),
    ...folders.filter((folder) => !isAbsolute(folder)).map((folder) => `${folder} is not an absolute path`),
    ...command.writable.filter((folder) => resolve(folder) === '/').map(() => '/ cannot be writable'),
    ...(command.writable.some((folder) => isInside(command.cwd, folder))
      ? []
      : [`${command.cwd} is not writable`]),
  ];
  if (reasons.length === 0) return;
  throw new PenstockError('invalid', `a sandbox command is refused: ${reasons.join('; ')}`, { reasons });
}

export function isInside(path: string, folder: string): boolean {
  return resolve(path) === resolve(folder) || resolve(path).startsWith(resolve(folder) + sep);
}

/** The whole environment of a command; a caller's own `env` wins. */
export function environmentOf(
  config: SandboxConfig,
  command: SandboxCommand,
  own: { home: string; tmp: string },
) {
  return {
    PATH: [nodeFolder, ...(config.path ?? []), ...SYSTEM_PATH].join(':'),
    LANG: 'C.UTF-8',
    HOME: own.home,
    TMPDIR: own.tmp,
    ...config.env,
    ...command.env,
  };
}

export function toSandboxResult(result: ProcessResult): SandboxResult {
  return {
    exitCode: result.timedOut ? null : result.exitCode,
    stdout: result.stdout.text(),
    stderr: result.stderr.text(),
    timedOut: result.timedOut,
    truncated: result.stdout.dropped() + result.stderr.dropped() > 0,
    durationMs: result.durationMs,
  };
}
