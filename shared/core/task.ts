import type { FailureCode, Meter } from '../messages/attempt-api.ts';
import type { CheckResult } from '../messages/change-set.ts';
import type { ModelProvider } from '../ports/model.ts';
import type { ReviewAnswer } from '../messages/plan.ts';
import type { HistoryEntry } from './history.ts';
import type { Priority } from './run.ts';

export type TaskState =
  'pending' | 'ready' | 'starting' | 'running' | 'succeeded' | 'failed' | 'cancelled' | 'skipped' | 'blocked';

/** An attempt exists and is not over: it holds a place in its pool. */
export const UNDER_WAY: TaskState[] = ['running', 'starting'];
export const isUnderWay = ({ state }: Pick<Task, 'state'>): boolean => UNDER_WAY.includes(state);

/** `work` tasks are the plan's; the others are the platform's own stages, run by the same claim, lease and retry. */
export type TaskKind = 'plan' | 'work' | 'integrate' | 'fix' | 'review';

export type ErrorClass = 'transient' | 'system' | 'user';

/** What may help where the same again would not: see `remedyFor`. */
export type Remedy = 'fallback_model' | 'larger_model' | 'larger_machine' | 'split';

/** More attempts than this are never made, whatever the policy. */
export const MAX_ATTEMPTS = 10;

/** One execution of a task. `generation` and `claimId` together are the fence. */
export interface TaskAttempt {
  generation: number;
  /** Random; hashed, so that reading the record gives nobody the claim. Absent while `starting`. */
  claimHash?: string;
  /** SHA-256 of the one-time ticket of the job lane; removed when it is used. */
  ticketHash?: string;
  /** Of the workflow that has asked for the ticket; absent where the job is started without one. */
  execution?: string;
  agent: string;
  agentHash: string;
  /** `script`: no AI answered, and what the meter says is simulated. */
  provider: ModelProvider;
  model?: string;
  startedAt: number;
  endedAt?: number;
  hardLimitAt: number;
  /** The process that runs it where that process can be known dead: the function lane's host. */
  host?: string;
  meter: Meter;
  /** What of the run's steering and mail was handed to it, by their numbers; absent: nothing yet. */
  steeredTo?: number;
  mailedTo?: number;
  exit?: {
    outcome: 'succeeded' | 'failed' | 'lost' | 'cancelled';
    code?: FailureCode;
    class?: ErrorClass;
    signature?: string;
    message?: string;
    task?: string;
    /** Checks that passed in this attempt before it failed. */
    checksPassed?: number;
    /** What the next attempt does otherwise. */
    remedy?: Remedy;
  };
}

export interface TaskResult {
  summary: string;
  /** Blob of the text result. */
  outputKey?: string;
  changeSet?: { key: string; sha256: string; files: number; added: number; deleted: number };
  review?: ReviewAnswer;
  checks: CheckResult[];
  filesRead: number;
}

export interface Task {
  v: 1;
  id: string;
  run: string;
  tenant: string;
  kind: TaskKind;
  title: string;
  agent: string;
  /** What its plan asked for instead of an agent: each attempt goes to whoever has it and the least to do. */
  capability?: string;
  instructions: string;
  acceptance: string[];
  scope: string[];
  lane: 'function' | 'job';
  pool: 'core' | 'specialist' | 'assessment';
  optional: boolean;
  priority: Priority;
  /** Its run is paused: no new attempt begins. */
  held: boolean;
  /** Which of the run's targets it works on. */
  target: number;
  /** The task whose agent delegated it (001-04). */
  parent?: string;
  /** Delegations above it. */
  depth: number;
  /** What its own agent delegated, and what of its allotment went with each. */
  subtasks?: { proposal: string; task: string; generation: number; microUsd: number }[];
  dependencies: string[];
  dependants: string[];
  /** In which pool each of them runs, because their dispatch says it (003-98). Absent: nobody waits for it. */
  dependantPools?: Partial<Record<Task['pool'], string[]>>;
  /** Those of them that wait for nothing else, by the plan: what its own agent delegates they wait for too. */
  soleDependants?: string[];
  /** Change sets that are applied before it begins, in order; `null`: those of its ancestors. */
  inputs: string[] | null;
  /** For `fix`: what is to be mended, and whose it was. */
  fixes?: { task: string; cause: 'conflict' | 'checks_red' | 'review'; detail: string };
  state: TaskState;
  /** Succeeded, or ended and optional: its dependants may go on. */
  settled: boolean;
  /** Not ended. */
  live: boolean;
  allotmentMicroUsd: number;
  maxAttempts: number;
  rank: number;
  /** Not dispatched before. 0: at once. */
  notBefore: number;
  /** The lease while running, the latest start while starting; 0 otherwise. */
  leaseUntil: number;
  attempts: TaskAttempt[];
  /** Signature of the newest failure; gone with the next success. */
  signature?: string;
  /** The decision that a blocked task waits for. */
  decision?: string;
  result?: TaskResult;
  /** Of its run, so that nobody has to read that to go on in its trace. */
  traceparent?: string;
  createdAt: number;
  updatedAt: number;
  history: HistoryEntry[];
}

export function currentAttempt(task: Task): TaskAttempt | undefined {
  return task.attempts.at(-1);
}

export function spentMicroUsd(task: Task): number {
  return task.attempts.reduce((sum, attempt) => sum + attempt.meter.spentMicroUsd, 0);
}

/** Names a task among all of all tenants, in what a process remembers of it. */
export function taskPath({ tenant, run, id }: Pick<Task, 'tenant' | 'run' | 'id'>): string {
  return `${tenant}/${run}/${id}`;
}
