import { redact } from '../repository/scan-secrets.ts';
import type { Run } from '../run.ts';
import type { CiReading } from './read-ci.ts';

const MAX_CHECKS = 20;
const MAX_NAME_CHARS = 100;

/** What the run remembers of CI for its readers: what it waits for, or what is to be mended. Names of checks are anybody's text. */
export function ciOfRun({ heads }: Run, reading: CiReading | undefined): NonNullable<Run['ci']> | undefined {
  const head = heads.at(-1);
  if (reading === undefined || head === undefined) return undefined;
  const { state, failures, pending } = reading.evidence;
  const names = state === 'red' ? failures.map(({ name }) => name) : pending;
  const checks = names.slice(0, MAX_CHECKS).map((name) => redact(name).slice(0, MAX_NAME_CHARS));
  const standing = state === 'red' || state === 'pending' ? state : 'expected';
  return { head, state: standing, checks };
}
