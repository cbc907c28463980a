import type { DecisionOption, decisionStates } from '../../messages/decision.ts';
import { isTerminal, type Run } from '../run.ts';
import type { Task } from '../task.ts';

/** A question that a person answers, or whose safe option is taken at its deadline. */
export interface Decision {
  v: 1;
  /** Follows from what is asked, so asking twice is asking once. */
  id: string;
  tenant: string;
  run: string;
  /** Blocked until it is answered. Absent: the run as a whole waits. */
  task?: string;
  /** `approve_plan` and `risky_change` are about the run, `budget_raise` is about a task. */
  kind: 'budget_raise' | 'approve_plan' | 'risky_change';
  question: string;
  options: DecisionOption[];
  safeOption: string;
  /** SHA-256 of what the answer binds to; when that changes, the decision is void. */
  contentHash: string;
  state: (typeof decisionStates)[number];
  option?: string;
  /** The run's new total, where the option raised it. */
  budgetMicroUsd?: number;
  comment?: string;
  /** A person by hash, or `deadline`. */
  actor?: string;
  /** `owner/name#7` in small letters, where its run came from an issue. */
  issue?: string;
  /** Answers that nobody has checked yet; one of each login, at most {@link MAX_OFFERS}. */
  offers?: Offer[];
  createdAt: number;
  remindAt: number;
  /** When more people than those who were asked are told; not after the deadline. */
  escalateAt: number;
  /** Logins of the host whom the escalation calls; absent: it names the tenant's team admins. */
  escalateTo?: string[];
  deadline: number;
  /** When the sweep has something to do for it: to remind, to escalate, to take the safe option. */
  dueAt: number;
  endedAt?: number;
}

/** An answer in a comment: it counts once the host has said that its author may write to the repository. */
export interface Offer {
  login: string;
  option: string;
  comment?: string;
  /** When it was written. */
  at: number;
}

/** They wait for moments only; so many, with comments of the greatest length, fit into a record. */
export const MAX_OFFERS = 12;

/** Comments have no other identity here: what is the same in everything is the same answer. */
export function isSameOffer(one: Offer, other: Offer): boolean {
  return (
    one.login === other.login &&
    one.at === other.at &&
    one.option === other.option &&
    one.comment === other.comment
  );
}

/** What somebody answers. */
export interface DecisionAnswer {
  option: string;
  comment?: string;
  /** Of an option that needs it; by default twice what the run may spend now. */
  budgetMicroUsd?: number;
}

/** What is asked, and what the answer binds to. */
export interface Ask {
  kind: Decision['kind'];
  question: string;
  options: DecisionOption[];
  safeOption: string;
  contentHash: string;
}

/** Whether the task, or the run as a whole, waits for exactly this decision. */
export function isAwaited({ id, state }: Decision, waiting: Task | Run | undefined): boolean {
  if (state !== 'open' || waiting?.decision !== id) return false;
  return 'stage' in waiting ? goesOn(waiting) : waiting.state === 'blocked';
}

/** A run that may still go on: nobody has asked it to stop. */
export function goesOn(run: Run): boolean {
  return !isTerminal(run.stage) && run.stage !== 'cancelling';
}
