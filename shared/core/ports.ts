import type { AttemptResultInput } from '../messages/attempt-api.ts';
import type { Agent } from '../messages/agent-file.ts';
import type { Message, Topic } from '../messages/topics.ts';
import type { Attempt } from '../ports/attempt.ts';
import type { Blobs } from '../ports/blobs.ts';
import type { Clock } from '../ports/clock.ts';
import type { CodeHost, RepositoryRef } from '../ports/code-host.ts';
import type { Ids } from '../ports/ids.ts';
import type { JobStarter } from '../ports/job-starter.ts';
import type { Log } from '../ports/log.ts';
import type { Model } from '../ports/model.ts';
import type { Queue } from '../ports/queue.ts';
import type { Store } from '../ports/store.ts';
import type { Trace } from '../ports/trace.ts';
import type { Workflows } from '../ports/workflow-callbacks.ts';
import type { Tool } from '../ports/tool.ts';
import type { Circuits } from './circuits/create-circuits.ts';
import type { ProcessMemory } from './process-memory.ts';
import type { SettingsOf } from './settings.ts';
import type { Task } from './task.ts';
import { type Traced, traceOf } from './trace-of.ts';

/** Numbers that an operator may choose; all times in milliseconds, money in micro-dollars. */
export interface Policy {
  version: string;
  defaultBudgetMicroUsd: number;
  /** A plan over either is not executed without approval. */
  autoApproveMicroUsd: number;
  autoApproveTasks: number;
  /** A larger or deeper plan is rejected. */
  maxPlanTasks: number;
  maxPlanDepth: number;
  maxAttempts: number;
  /** Attempts that may run at the same time, by pool (003-99..101). */
  pools: Record<Task['pool'], { min: number; max: number }>;
  retryBaseMs: number;
  retryCapMs: number;
  leaseMs: number;
  renewEveryMs: number;
  startByJobMs: number;
  functionLaneLimitMs: number;
  /** How long before its hard limit an attempt is asked to wrap up. */
  wrapUpMs: number;
  maxFixRounds: number;
  /** How long CI that a repository is known to have may take to begin on a new head. */
  ciGraceMs: number;
  /** How long it may take to end. */
  ciDeadlineMs: number;
  /** Names of workflows that a run may be driven by, beside `direct`. */
  drivers: readonly string[];
  /** Of a run that names none. */
  defaultDriver: string;
  /** Whether repositories may be paths on this machine. */
  localRepositories: boolean;
  /**
   * Logins, in small letters, of the accounts whose installations of our App are bound to `defaultTenant` when they are first seen;
   * the events of any other start nothing.
   */
  githubAccounts: readonly string[] | 'any';
  defaultTenant: string;
  /** Where people reach the pages, for links in comments. */
  publicUrl: string;
}

/** One attempt, ready to be worked on: what it may ask, and what it may do. */
export interface OpenAttempt {
  attempt: Attempt;
  tools: Tool[];
}

/** Does one function-lane attempt. `open` assembles its context; a worker that needs none does not call it. */
export type Worker = (open: () => Promise<OpenAttempt>) => Promise<AttemptResultInput>;

/** Everything the core may touch, by port. Use cases take the part they need. */
export interface Ports {
  store: Store;
  queue: Queue;
  blobs: Blobs;
  clock: Clock;
  ids: Ids;
  log: Log;
  trace: Trace;
  model: Model;
  jobs: JobStarter;
  /** Absent where no workflow can be run: then every run's driver is `direct`. */
  workflows?: Workflows;
  codeHost: (repository: Pick<RepositoryRef, 'host'>) => CodeHost;
  agents: ReadonlyMap<string, Agent>;
  /** The agent loop. */
  work: Worker;
  policy: Policy;
  /** The policy as a tenant has it, at most five seconds old. */
  settings: SettingsOf;
  memory: ProcessMemory;
  circuits: Circuits;
  /** Names this process, so that its own dead attempts are known after a restart. */
  host: string;
}

/** The record that a message is about: whose trace it belongs to, and by what an executor may be chosen (003-98, 000-02). */
export interface About extends Traced {
  pool?: string | undefined;
  priority?: string | undefined;
}

/**
 * Topic and ids are its attributes too, so that subscriptions, logs and dead letters need not open the message; and of the record
 * that it is `about` its trace, whoever publishes, its pool as `agent-type`, and its priority.
 */
export async function publish<T extends Topic>(
  ports: Pick<Ports, 'queue' | 'trace'>,
  topic: T,
  message: Message<T>,
  about: About,
): Promise<void> {
  const { pool, priority } = about;
  const attributes: Record<string, string> = { topic };
  const known = { ...message, traceparent: traceOf(ports, about), 'agent-type': pool, priority };
  for (const [name, value] of Object.entries(known) as [string, unknown][]) {
    if (name !== 'v' && (typeof value === 'string' || typeof value === 'number'))
      attributes[name] = String(value);
  }
  await ports.queue.publish(topic, message, { attributes });
}
