import type { DocumentRef } from '../ports/store.ts';
import type { TenantSettingsInput } from '../messages/tenant-settings.ts';
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
  settings: (tenant: string): DocumentRef<{ v: 1 } & TenantSettingsInput> => ({
    collection: `tenants/${tenant}/config`,
    id: 'runtime',
  }),
  deadLetter: (tenant: string, id: string): DocumentRef<DeadLetter> => ({
    collection: `tenants/${tenant}/deadLetters`,
    id,
  }),
};

export function runsOf(tenant: string): string {
  return `tenants/${tenant}/runs`;
}

export function tasksOf(tenant: string, run: string): string {
  return `tenants/${tenant}/runs/${run}/tasks`;
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

/** The webhook ledger: one entry per delivery id and one per body. */
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

/** The newest run of a TaskRun name. */
export interface TaskRunName {
  v: 1;
  name: string;
  run: string;
}

export interface DeadLetter {
  v: 1;
  topic: string;
  subscription: string;
  messageId: string;
  message: Record<string, unknown>;
  attributes: Record<string, string>;
  error: string;
  at: number;
}
