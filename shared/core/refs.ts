import type { DocumentRef } from '../ports/store.ts';
import type { TenantMember } from '../messages/member.ts';
import type { TenantSettingsInput } from '../messages/tenant-settings.ts';
import type { Circuit, CircuitName } from './circuits/circuit.ts';
import type { DeadLetter } from './dead-letter.ts';
import type { Decision } from './decisions/decision.ts';
import type { AgentMessage } from '../messages/agent-message.ts';
import type { Run } from './run.ts';
import type { Task } from './task.ts';

/** Where each record stands. The tenant is part of every path but the global ones. */
export const refs = {
  run: (tenant: string, run: string): DocumentRef<Run> => ({ collection: `tenants/${tenant}/runs`, id: run }),
  task: (tenant: string, run: string, task: string): DocumentRef<Task> => ({
    collection: tasksOf(tenant, run),
    id: task,
  }),
  effect: (tenant: string, run: string, effect: string): DocumentRef<Effect> => ({
    collection: `tenants/${tenant}/runs/${run}/effects`,
    id: effect,
  }),
  message: (tenant: string, run: string, message: string): DocumentRef<MailRecord> => ({
    collection: mailOf(tenant, run),
    id: message,
  }),
  delivery: (id: string): DocumentRef<DeliveryRecord> => ({ collection: 'deliveries', id }),
  installation: (id: number): DocumentRef<Installation> => ({ collection: 'installations', id: String(id) }),
  repository: (tenant: string, repository: string): DocumentRef<Repository> => ({
    collection: `tenants/${tenant}/repositories`,
    id: repository.toLowerCase().replace('/', '~'),
  }),
  taskRun: (tenant: string, name: string): DocumentRef<TaskRunName> => ({
    collection: `tenants/${tenant}/taskRuns`,
    id: name,
  }),
  deletedTaskRun: (tenant: string, name: string): DocumentRef<DeletedTaskRun> => ({
    collection: `tenants/${tenant}/deletedTaskRuns`,
    id: name,
  }),
  settings: (tenant: string): DocumentRef<{ v: 1 } & TenantSettingsInput> => ({
    collection: `tenants/${tenant}/config`,
    id: 'runtime',
  }),
  tenant: (tenant: string): DocumentRef<Tenant> => ({ collection: 'tenants', id: tenant }),
  decision: (tenant: string, id: string): DocumentRef<Decision> => ({
    collection: decisionsOf(tenant),
    id,
  }),
  circuit: ({ key, tenant }: CircuitName): DocumentRef<Circuit> => ({
    collection: tenant === undefined ? 'circuits' : `tenants/${tenant}/circuits`,
    id: key,
  }),
  deadLetter: (tenant: string, id: string): DocumentRef<DeadLetter> => ({
    collection: lettersOf(tenant),
    id,
  }),
};

export function decisionsOf(tenant: string): string {
  return `tenants/${tenant}/decisions`;
}

export function lettersOf(tenant: string): string {
  return `tenants/${tenant}/deadLetters`;
}

export function runsOf(tenant: string): string {
  return `tenants/${tenant}/runs`;
}

export function tasksOf(tenant: string, run: string): string {
  return `tenants/${tenant}/runs/${run}/tasks`;
}

export function mailOf(tenant: string, run: string): string {
  return `tenants/${tenant}/runs/${run}/messages`;
}

/** Every collection below a run: with the run they go. */
export function collectionsOf(tenant: string, run: string): string[] {
  return ['tasks', 'effects', 'messages', 'feed'].map((name) => `${runsOf(tenant)}/${run}/${name}`);
}

/** Prefixes of all {@link blobKeys} of a run: with the run they go. */
export function blobPrefixesOf(tenant: string, run: string): string[] {
  return ['plans', 'transcripts', 'artifacts', 'uploads'].map((name) => `${tenant}/${name}/${run}/`);
}

/** Blob keys, below the tenant's prefix. */
export const blobKeys = {
  plan: (tenant: string, run: string, hash: string) => `${tenant}/plans/${run}/${hash.slice(0, 16)}.json`,
  transcript: (tenant: string, run: string, task: string, generation: number, n: number) =>
    `${tenant}/transcripts/${run}/${task}/${generation}/${String(n).padStart(6, '0')}.jsonl`,
  output: (tenant: string, run: string, task: string, generation: number) =>
    `${tenant}/artifacts/${run}/${task}/${generation}/output.txt`,
  upload: (tenant: string, run: string, task: string, generation: number, purpose: string, n: number) =>
    `${tenant}/uploads/${run}/${task}/${generation}/${purpose}-${n}`,
  changeSet: (tenant: string, run: string, task: string, generation: number) =>
    `${tenant}/artifacts/${run}/${task}/${generation}/change-set.json`,
};

/** Something done outside, under a deterministic identity: intended (claimed) or done. */
export interface Effect {
  v: 1;
  state: 'intended' | 'done';
  /** Who is at it, and until when nobody else may be. */
  claimId: string;
  claimUntil: number;
  /** Whether an earlier claim may have acted without recording it. */
  attempts: number;
  /** What the outside answered: a number, a SHA, an id. */
  result?: Record<string, string | number | boolean>;
}

/** A message between agents of a run. */
export interface MailRecord {
  v: 1;
  run: string;
  /** From 1, without gaps. */
  seq: number;
  /** The task whose agent sent it. */
  task: string;
  /** Only for this task's attempts, not for all of the agent's. */
  toTask?: string;
  /** The subtask that it is about. */
  correlationId?: string;
  message: AgentMessage;
}

/** The webhook ledger: one entry per delivery id, one per body, and one per issue whose label started a run, which names the newest. */
export interface DeliveryRecord {
  v: 1;
  event: string;
  action: string;
  outcome: 'run' | 'ignored' | 'recorded';
  reason: string;
  tenant?: string;
  run?: string;
  receivedAt: number;
}

export interface Installation {
  v: 1;
  id: number;
  tenant: string;
  account: string;
  suspended: boolean;
}

export interface Repository {
  v: 1;
  host: 'github';
  repository: string;
  installationId: number;
}

/** What a tenant has a licence for, and who belongs to it; without a record there is nothing to expire and nobody. */
export interface Tenant {
  v: 1;
  /** From then on nothing new is taken in. */
  licenceExpiresAt?: number;
  members?: TenantMember[];
}

/** That a TaskRun name was deleted, and how often: its next run is another one. */
export interface DeletedTaskRun {
  v: 1;
  deletions: number;
}

/** The newest run of a TaskRun name. */
export interface TaskRunName {
  v: 1;
  name: string;
  run: string;
}
