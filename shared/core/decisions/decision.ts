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
  /** Blocked until it is answered. */
  task: string;
  kind: 'budget_raise';
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
  createdAt: number;
  remindAt: number;
  deadline: number;
  /** When the sweep has something to do for it: at first to remind, then to take the safe option. */
  dueAt: number;
  endedAt?: number;
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

/** Whether the task waits for exactly this decision. */
export function isAwaited(decision: Decision, task: Task | undefined): boolean {
  return decision.state === 'open' && task?.state === 'blocked' && task.decision === decision.id;
}

/** A run that may still go on: nobody has asked it to stop. */
export function goesOn(run: Run): boolean {
  return !isTerminal(run.stage) && run.stage !== 'cancelling';
}
