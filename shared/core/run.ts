import type { AskedStage, stages } from '../messages/stages.ts';
import type { RepositoryContract } from '../messages/repository-contract.ts';
import type { RepositoryRef } from '../ports/code-host.ts';
import type { HistoryEntry } from './history.ts';

export type Stage = (typeof stages)[number];

export type TerminalStage = 'succeeded' | 'failed' | 'cancelled';

export function isTerminal(stage: Stage): stage is TerminalStage {
  return stage === 'succeeded' || stage === 'failed' || stage === 'cancelled';
}

export type Priority = 'critical' | 'high' | 'normal' | 'low';

/** Before a run's id, the name of its branch. */
export const BRANCH_PREFIX = 'penstock/';

/** Where a run works. `baseSha` is pinned when planning begins and never moves. */
export interface Target extends RepositoryRef {
  baseRef?: string;
  baseSha?: string;
  headBranch: string;
}

/** Who asked, from where. A person stands here by name only as far as the host shows it publicly. */
export interface Origin {
  kind: 'github' | 'api' | 'cli' | 'pm';
  actor: string;
  /** GitHub login whose write permission is checked before the first model call. */
  login?: string;
  issue?: { number: number; url: string };
  delivery?: string;
}

/** Why a run ended other than succeeded, for people and for programs. */
export interface EndReason {
  code: string;
  message: string;
}

/** Where a plan's JSON stands: here, or in the blob of that key. */
export type PlanSource = { text: string } | { key: string };

export interface RunPlan {
  /** SHA-256 of the plan's JSON. */
  hash: string;
  /** Absent: it is the given one. */
  source?: PlanSource;
  summary: string;
  tasks: number;
  /** Most tasks that may run at the same time. */
  parallel: number;
  estimateMicroUsd: number;
  filesRead: number;
  /** What its agents say of the requirement (003-73). */
  flags?: Record<string, boolean>;
}

/** Words of a person to a live run. `seq` from 1. */
export interface SteeringMessage {
  seq: number;
  at: number;
  by: string;
  text: string;
  /** Breaks into what the agent is doing, instead of waiting for its next turn. */
  interrupts: boolean;
  /** SHA-256 of the request's `Idempotency-Key`: the same key again is the same message. */
  keyHash?: string;
}

export const MAX_STEERING = 20;

/** The one driver that is no workflow: each stage begins as soon as the one before is over. */
export const DIRECT = 'direct';

/** The execution of the workflow that drives a run. */
export interface Execution {
  id: string;
  startedAt: number;
  /** Executions that were started for the run so far, this one among them. */
  starts: number;
  /** It has said that it drives the run: every other one is refused from then on. */
  claimedAt?: number;
}

/** The last stage that the driver asked for; those before it are over. */
export interface StageRequest {
  stage: AskedStage;
  /** From 1: the same number again is the same request. */
  seq: number;
  execution: string;
  /** Id of the callback endpoint that its execution waits at. */
  callback: string;
  /** `over`: the stage is, and the callback may not know it yet. */
  state: 'asked' | 'over' | 'delivered';
}

/** `expected`: it has not begun; `pending`: some checks are not over; `red`: some have failed. */
export type CiStanding = 'expected' | 'pending' | 'red';

export interface Review {
  id: string;
  agent: string;
  instructions: string;
  /** By what it judges, beside what every task was to be judged by; absent in records of an earlier version. */
  acceptance?: string[];
}

/** A person had a hand in it. */
export function touched(run: Run): Run {
  return { ...run, touches: (run.touches ?? 0) + 1 };
}

export interface Run {
  v: 1;
  id: string;
  tenant: string;
  title: string;
  requirement: string;
  targets: Target[];
  origin: Origin;
  /** The caller's own grouping of runs. */
  project?: string;
  /** The name of a workflow, or {@link DIRECT}. */
  driver: string;
  /** What the caller tells the driver about it. */
  flags?: Record<string, boolean>;
  execution?: Execution;
  stageRequest?: StageRequest;
  /** With a callback that has not been delivered: the sweep delivers it. */
  undeliveredSince?: number;
  priority: Priority;
  dryRun: boolean;
  /** What held when it was accepted. */
  pins: { version: string; agentsHash: string; configHash: string };
  /** Shared out to tasks as allotments; an attempt spends from its task's allotment only, so spend never passes the limit. */
  budget: { limitMicroUsd: number };
  /**
   * What the run counts for in the budgets of its tenant and project: its limit while it lives, what it spent when it has ended.
   * Nothing yet while the permission of whoever asked for it at a code host has not been checked.
   */
  chargedMicroUsd: number;
  /** The plan that the caller gave; decomposition is skipped then. */
  givenPlan?: { hash: string; source: PlanSource };
  plan?: RunPlan;
  /** The decision that the run as a whole waits for. */
  decision?: string;
  /** Content hashes of what people have approved for it, at most one for each round of integration and one for the plan. */
  approvals?: string[];
  /** How often a person had to do, or did, something about it; absent: never. */
  touches?: number;
  contract?: { commands: RepositoryContract; reasons: string[] };
  stage: Stage;
  /** No new attempt and no new stage begins until it is resumed; attempts under way go on. */
  paused: boolean;
  /** The run that this one repeats, and whose tasks' results it takes over. */
  forkedFrom?: { run: string; reuse: string[] };
  /** What people said to it, oldest first; at most {@link MAX_STEERING}. */
  steering: SteeringMessage[];
  /** Messages between its agents so far. */
  mail: number;
  /** What stops the run, noticed while attempts are still live; the terminal entry takes it over. */
  reason?: EndReason;
  /** Tasks whose change sets are integrated, in order. */
  changeOrder: string[];
  /** Assessments of the pull request, from the plan. */
  reviews: Review[];
  /** Rounds of fixing after a conflict, red checks or a review. */
  fixRounds: number;
  /** Rounds of integration so far; the newest integrate task is `integrate-<n>`. */
  integrations: number;
  /** Heads of the run's branch as written by us, oldest first. */
  heads: string[];
  /** When the newest of them was published. */
  headAt?: number;
  /** What CI said of a head when it was last looked at, where the run had to wait for it or to mend something. */
  ci?: { head: string; state: CiStanding; checks: string[] };
  /** When the sweep looks whether CI has begun on it; only while that is waited for. */
  ciLookAt?: number;
  diffStat?: { files: number; added: number; deleted: number };
  pullRequest?: { number: number; url: string; ready: boolean };
  /** SHA-256 of the submitted body: the same `Idempotency-Key` with another body is refused. */
  requestHash?: string;
  /** A comment or check run may still say something that is no longer so; the sweep settles it. */
  unsettledOutside: boolean;
  taskRun?: {
    name: string;
    taskId: number;
    serviceName: string;
    retryAttempt: number;
    files: { filename: string; content: string; fileType: string }[];
  };
  createdAt: number;
  updatedAt: number;
  /** When the sweep last looked at it. */
  checkedAt: number;
  endedAt?: number;
  /** Its deletion was asked for (002-18); with what is still to be cleaned up before its record goes. */
  deletingSince?: number;
  finalizers?: string[];
  /** Over the last hashes of its tasks; with the terminal entry. */
  tasksRoot?: string;
  /** W3C trace context of its acceptance: whatever follows belongs to that trace, whichever process does it. */
  traceparent?: string;
  history: HistoryEntry[];
}
