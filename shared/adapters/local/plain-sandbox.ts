import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Sandbox } from '../../ports/sandbox.ts';
import { runProcess } from './run-process.ts';
import { checkCommand, environmentOf, toSandboxResult, type SandboxConfig } from './sandbox-command.ts';

/**
 * No confinement: a scrubbed environment, a temporary home, limits of time and output, and a process group that is
 * killed as a whole. The command can still read and write whatever the user can.
 */
export function createPlainSandbox(config: SandboxConfig = {}): Sandbox {
  return {
    kind: 'none',
    async run(command) {
      checkCommand(command);
      const scratch = await mkdtemp(join(tmpdir(), 'penstock-sandbox-'));
      try {
        const result = await runProcess({
          argv: command.argv,
          cwd: command.cwd,
          env: environmentOf(config, command, { home: scratch, tmp: scratch }),
          ...(command.stdin === undefined ? {} : { stdin: command.stdin }),
          timeoutMs: command.timeoutMs,
          maxOutputBytes: command.maxOutputBytes,
          ...(command.signal === undefined ? {} : { signal: command.signal }),
        });
        return toSandboxResult(result);
      } finally {
        await rm(scratch, { recursive: true, force: true });
      }
    },
  };
}
