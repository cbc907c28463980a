import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Sandbox } from '../../ports/sandbox.ts';
import { createBubblewrapSandbox, type BubblewrapConfig } from './bubblewrap-sandbox.ts';
import { createPlainSandbox } from './plain-sandbox.ts';

const PROBE_TIMEOUT_MS = 10_000;

export interface ChosenSandbox {
  sandbox: Sandbox;
  /** One sentence for `doctor` and the first line of `up`. */
  reason: string;
}

/** Bubblewrap where a command really runs in it on this machine, otherwise `none`. */
export async function chooseSandbox(config: BubblewrapConfig = {}): Promise<ChosenSandbox> {
  const sandbox = createBubblewrapSandbox(config);
  const problem = await whyNotRunnable(sandbox);
  if (problem === undefined)
    return { sandbox, reason: 'bubblewrap: commands of agents are confined by the operating system' };
  const advice = 'commands of agents are not confined; on Debian: apt-get install bubblewrap';
  return { sandbox: createPlainSandbox(config), reason: `none, because ${problem}; ${advice}` };
}

async function whyNotRunnable(sandbox: Sandbox): Promise<string | undefined> {
  const folder = await mkdtemp(join(tmpdir(), 'penstock-probe-'));
  try {
    const result = await sandbox.run({
      argv: ['sh', '-c', 'echo started > probe && cat probe'],
      cwd: folder,
      writable: [folder],
      network: 'none',
      timeoutMs: PROBE_TIMEOUT_MS,
      maxOutputBytes: 4_096,
    });
    if (result.exitCode === 0 && result.stdout === 'started\n') return undefined;
    return `bubblewrap does not run a command here (${result.stderr.trim().slice(0, 200) || `exit code ${result.exitCode}`})`;
  } catch (error) {
    return error instanceof Error ? error.message.slice(0, 300) : String(error);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
