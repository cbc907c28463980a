import { createHash } from 'node:crypto';
import { plannedTask, type PlannedTask } from '../../messages/plan.ts';
import { PenstockError } from '../../ports/penstock-error.ts';
import type { Ports } from '../ports.ts';
import { blobKeys } from '../refs.ts';
import type { PlanSource, Run } from '../run.ts';

/** What a stored plan holds: validated tasks, and where they came from. */
export interface StoredPlan {
  summary: string;
  tasks: PlannedTask[];
  filesRead: number;
}

/** A plan up to this size stands in its run's record: one write less, and one read less, than a blob. In UTF-8 bytes. */
const MAX_TEXT_BYTES = 8 * 1024;

/** Plans are named by their content, so storing one twice is storing it once. */
export async function storePlan(
  ports: Pick<Ports, 'blobs'>,
  run: Pick<Run, 'tenant' | 'id'>,
  plan: StoredPlan,
): Promise<{ hash: string; source: PlanSource }> {
  const text = JSON.stringify(plan);
  const hash = createHash('sha256').update(text).digest('hex');
  if (Buffer.byteLength(text) <= MAX_TEXT_BYTES) return { hash, source: { text } };
  const key = blobKeys.plan(run.tenant, run.id, hash);
  await ports.blobs.put(key, text, { contentType: 'application/json' });
  return { hash, source: { key } };
}

/** @throws PenstockError `not_found` where its blob is gone. */
export async function readPlan(ports: Pick<Ports, 'blobs'>, source: PlanSource): Promise<StoredPlan> {
  const text = 'text' in source ? source.text : await readBlob(ports, source.key);
  const stored = JSON.parse(text) as StoredPlan;
  return { ...stored, tasks: stored.tasks.map((task) => plannedTask.parse(task)) };
}

async function readBlob({ blobs }: Pick<Ports, 'blobs'>, key: string): Promise<string> {
  const bytes = await blobs.get(key);
  if (bytes === undefined)
    throw new PenstockError('not_found', `plan ${key} is gone; submit the requirement again`);
  return new TextDecoder().decode(bytes);
}

/** Where the plan stands that a run was given or has made. */
export function planSourceOf({ plan, givenPlan }: Pick<Run, 'plan' | 'givenPlan'>): PlanSource | undefined {
  return plan?.source ?? givenPlan?.source;
}
