import { execFileSync } from 'node:child_process';
import { availableParallelism, cpus, loadavg, totalmem } from 'node:os';
import { fileURLToPath } from 'node:url';
import { startHostProcess } from './host-process.ts';

const PROJECT = fileURLToPath(new URL('../..', import.meta.url));
/** SQLite answers with the number. */
const SYNCHRONOUS = ['off', 'normal', 'full', 'extra'];

/** What the figures were measured on: machine, code and database settings, as the platform's own connection has them. */
export async function describeMachine(): Promise<string[]> {
  const host = await startHostProcess();
  try {
    const { journalMode, synchronous } = await host.ask('settings');
    const level = SYNCHRONOUS[synchronous] ?? String(synchronous);
    return [
      describeHardware(),
      `SQLite journal_mode=${journalMode}, synchronous=${level}; ${survives(journalMode, level)}`,
    ];
  } finally {
    host.remove();
  }
}

/** Processor, how busy it is already, memory, Node and the commit. */
export function describeHardware(): string {
  const memory = `${Math.round(totalmem() / 2 ** 30)} GB`;
  const load = loadavg()[0]?.toFixed(1);
  return `${cpus()[0]?.model ?? 'unknown processor'}, ${availableParallelism()} cores (load ${load}), ${memory}; Node ${process.versions.node}; ${commit()}`;
}

/** What SQLite promises of a transaction that was answered: https://sqlite.org/pragma.html#pragma_synchronous */
function survives(journalMode: string, level: string): string {
  if (level === 'full' || level === 'extra') return 'survives: a crash of the process, loss of power';
  if (journalMode === 'wal' || level === 'off') return 'survives: a crash of the process; not: loss of power';
  return 'survives: a crash of the process, mostly loss of power';
}

function commit(): string {
  try {
    const git = (...args: string[]): string =>
      execFileSync('git', args, {
        cwd: PROJECT,
        encoding: 'utf8',
        stdio: ['ignore', 'pipe', 'ignore'],
      }).trim();
    return `commit ${git('rev-parse', '--short', 'HEAD')}${git('status', '--porcelain') === '' ? '' : ' with changes'}`;
  } catch {
    return 'no commit';
  }
}
