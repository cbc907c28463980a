import type { CiFailure } from '../../ports/code-host.ts';
import type { Policy } from '../ports.ts';
import { redact } from '../repository/scan-secrets.ts';
import type { EndReason, Run } from '../run.ts';
import type { CiReading } from './read-ci.ts';

/** What CI means for a run. `until`: nothing may ever come, so it is looked again then. */
export type CiVerdict =
  | { verdict: 'go_on' }
  | { verdict: 'wait'; until?: number }
  | { verdict: 'late'; reason: EndReason }
  | { verdict: 'red'; detail: string };

const MAX_SUMMARY_CHARS = 1_000;
const MAX_DETAIL_CHARS = 10_000;

/** Pure: CI as it was read in, what follows from it out. Without a reading there is nothing to wait for. */
export function judgeCi(
  run: Run,
  reading: CiReading | undefined,
  policy: Pick<Policy, 'ciGraceMs' | 'ciDeadlineMs'>,
): CiVerdict {
  if (reading === undefined) return { verdict: 'go_on' };
  const { evidence, since, isExpected } = reading;
  if (evidence.state === 'red') return { verdict: 'red', detail: redText(run, evidence.failures) };
  if (evidence.state === 'pending') return pendingVerdict(run, reading, policy.ciDeadlineMs);
  const mayCome = evidence.state === 'none' && isExpected;
  return mayCome ? { verdict: 'wait', until: since + policy.ciGraceMs } : { verdict: 'go_on' };
}

function pendingVerdict(run: Run, { evidence, since, now }: CiReading, deadlineMs: number): CiVerdict {
  if (now < since + deadlineMs) return { verdict: 'wait' };
  const names = redact(evidence.pending.join(', ')).slice(0, MAX_SUMMARY_CHARS);
  const minutes = Math.round(deadlineMs / 60_000);
  const message = `CI of commit ${headOf(run)} is not over after ${minutes} minutes: ${names}; see to it and retry the run`;
  return { verdict: 'late', reason: { code: 'ci_timeout', message } };
}

function redText(run: Run, failures: CiFailure[]): string {
  const lines = failures.map(({ name, summary, url }) => {
    const where = url === '' ? '' : ` (${url})`;
    return `- ${redact(name)}${redact(where)}: ${redact(summary).slice(0, MAX_SUMMARY_CHARS)}`;
  });
  return [`CI is red on commit ${headOf(run)}:`, ...lines].join('\n').slice(0, MAX_DETAIL_CHARS);
}

function headOf({ heads }: Run): string {
  return heads.at(-1)?.slice(0, 7) ?? '';
}
