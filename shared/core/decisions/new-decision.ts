import type { Run } from '../run.ts';
import type { Settings } from '../settings.ts';
import type { Ask, Decision } from './decision.ts';

/** An open question about a run, or about one of its tasks. */
export function newDecision(
  { run, task }: { run: Run; task?: string },
  ask: Ask,
  { settings, at }: { settings: Settings; at: number },
): Decision {
  const deadline = at + settings.decisionDeadlineMs;
  const remindAt = at + settings.decisionReminderMs;
  const escalateAt = at + settings.decisionEscalationMs;
  const decision = {
    v: 1 as const,
    id: idOf(ask.contentHash),
    tenant: run.tenant,
    run: run.id,
    ...(task === undefined ? {} : { task }),
    ...ask,
    state: 'open' as const,
    ...issueOf(run),
    createdAt: at,
    remindAt,
    escalateAt,
    ...(settings.escalateTo.length === 0 ? {} : { escalateTo: settings.escalateTo }),
    deadline,
  };
  return { ...decision, dueAt: nextDue(decision, at) };
}

/** When the sweep has something to do for it next: to remind, to escalate, to take the safe option. */
export function nextDue(
  { remindAt, escalateAt, deadline }: Pick<Decision, 'remindAt' | 'escalateAt' | 'deadline'>,
  now: number,
): number {
  return Math.min(deadline, ...[remindAt, escalateAt].filter((time) => time > now));
}

/** Whom an escalation names. */
export function escalatedTo({ tenant, escalateTo = [] }: Pick<Decision, 'tenant' | 'escalateTo'>): string {
  if (escalateTo.length === 0) return `the team admins of ${tenant}`;
  return escalateTo.map((login) => `@${login}`).join(' ');
}

/** The issue that its run came from: a comment there is taken for an answer. */
function issueOf({ origin, targets: [target] }: Run): Pick<Decision, 'issue'> {
  const isIssue = origin.issue !== undefined && target?.host === 'github';
  return isIssue ? { issue: issueName(target.repository, origin.issue?.number ?? 0) } : {};
}

/** Hosts take the name of a repository in any case. */
export function issueName(repository: string, number: number): string {
  return `${repository.toLowerCase()}#${number}`;
}

/** Short enough to be typed, long enough that two questions of a tenant do not meet. */
const ID_CHARS = 10;

function idOf(contentHash: string): string {
  return BigInt(`0x${contentHash.slice(0, 16)}`)
    .toString(36)
    .padStart(ID_CHARS, '0')
    .slice(-ID_CHARS);
}
