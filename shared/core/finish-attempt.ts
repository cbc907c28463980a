import type { AttemptResult } from '../messages/attempt-api.ts';
import type { Versioned } from '../ports/store.ts';
import { change } from './change.ts';
import { tellCircuits } from './circuits/tell-circuits.ts';
import { attemptEndFields } from './end-fields.ts';
import { failed, succeeded } from './ended-attempt.ts';
import { classOf, type FailureFacts, SAME_FAILURE, signatureOf } from './failure.ts';
import { endedAttempt, type Fence, heldAttempt } from './fence.ts';
import type { Ports } from './ports.ts';
import { blobKeys, refs, tasksOf } from './refs.ts';
import { announceEnd } from './release-dependants.ts';
import { currentAttempt, type Task, type TaskResult } from './task.ts';

/** What the end of an attempt takes. */
export type FinishPorts = Pick<
  Ports,
  | 'store'
  | 'queue'
  | 'blobs'
  | 'clock'
  | 'ids'
  | 'log'
  | 'policy'
  | 'agents'
  | 'settings'
  | 'circuits'
  | 'trace'
>;

/** A change set that `propose` has checked and stored for this attempt. */
export type ProposedChangeSet = NonNullable<TaskResult['changeSet']>;

/**
 * Stores the result in one compare-and-set, then announces the end. Repeating it publishes again and changes nothing.
 * `stale`: another generation or claim holds the task now, and nothing of this attempt counts any more.
 */
export async function finishAttempt(
  ports: FinishPorts,
  fence: Fence,
  result: AttemptResult,
  options: { known?: Versioned<Task>; changeSet?: ProposedChangeSet } = {},
): Promise<'stored' | 'stale'> {
  const { tenant, run, task: id, generation } = fence;
  const ref = refs.task(tenant, run, id);
  const current = options.known ?? (await ports.store.get(ref));
  if (current === undefined) return 'stale';
  // Nobody but the holder writes below its key, not even somebody who guesses at a claim.
  const holds = heldAttempt(current.data, fence) !== undefined;
  const stored =
    holds && result.outcome === 'succeeded'
      ? await storeResult(ports, fence, result, options.changeSet)
      : emptyResult;
  const facts = holds && result.outcome === 'failed' ? await factsOf(ports, current.data, result) : {};
  const now = ports.clock.now();
  const fraction = ports.ids.fraction();
  const decide = (task: Task) => {
    const attempt = heldAttempt(task, fence);
    if (attempt === undefined) return undefined;
    if (result.outcome === 'failed')
      return { data: failed(task, attempt, result.failure, { now, fraction, ports, ...facts }) };
    return { data: succeeded(task, attempt, stored, now) };
  };
  const { data: task, changed } = await change(ports.store, ref, decide, current);
  if (!changed && endedAttempt(task, fence) === undefined) return 'stale';
  if (changed) {
    ports.log.info(
      `attempt ${id}/${generation} ${currentAttempt(task)?.exit?.outcome}`,
      attemptEndFields(task),
    );
    await tellCircuits(ports, task);
  }
  await announceEnd(ports, task, generation);
  return 'stored';
}

/** What a failure is judged by beside its task; looked up only where it may matter. */
async function factsOf(
  ports: FinishPorts,
  task: Task,
  { failure, checks }: Extract<AttemptResult, { outcome: 'failed' }>,
): Promise<Partial<FailureFacts>> {
  const checksPassed = new Set(checks.flatMap(({ passed, command }) => (passed ? [command] : []))).size;
  if (failure.code === 'budget')
    return { checksPassed, onBudget: (await ports.settings(task.tenant)).onBudget };
  if (classOf(failure.code) !== 'system') return { checksPassed };
  const signature = signatureOf(failure);
  const failedAlike = await ports.store.count({
    from: { collection: tasksOf(task.tenant, task.run) },
    where: [{ field: 'signature', op: '==', value: signature }],
    upTo: SAME_FAILURE.tasksOfRun,
  });
  return { checksPassed, alike: failedAlike - (task.signature === signature ? 1 : 0) };
}

const emptyResult: TaskResult = { summary: '', checks: [], filesRead: 0 };

/** Large text is a blob, stored before the record that names it. */
async function storeResult(
  ports: FinishPorts,
  fence: Fence,
  result: Extract<AttemptResult, { outcome: 'succeeded' }>,
  changeSet: ProposedChangeSet | undefined,
): Promise<TaskResult> {
  const { summary, output, review, checks, filesRead } = result;
  const outputKey = blobKeys.output(fence.tenant, fence.run, fence.task, fence.generation);
  if (output !== undefined) await ports.blobs.put(outputKey, output, { contentType: 'text/plain' });
  return {
    summary,
    checks,
    filesRead,
    ...(output === undefined ? {} : { outputKey }),
    ...(changeSet === undefined ? {} : { changeSet }),
    ...(review === undefined ? {} : { review }),
  };
}
