import type { ProposalAnswer, SubtaskProposal } from '../../messages/attempt-api.ts';
import { PenstockError } from '../../ports/penstock-error.ts';
import { change } from '../change.ts';
import { dispatchTask } from '../dispatch-task.ts';
import { type Fence, heldAttempt } from '../fence.ts';
import { withdrawn } from '../ended-attempt.ts';
import { staleAttempt } from '../meter.ts';
import type { Ports } from '../ports.ts';
import { refs } from '../refs.ts';
import type { Task } from '../task.ts';
import { MAX_DELEGATION_DEPTH } from './judge-delegation.ts';
import { delegated, takenIds } from './new-subtask.ts';
import { recordDelegation } from './record-delegation.ts';

export type DelegatePorts = Pick<Ports, 'store' | 'queue' | 'clock' | 'agents' | 'trace'>;

/**
 * A subtask of the task that the fence holds (001-04): it begins at once, beside its parent, is paid out of the parent's
 * allotment, and whatever waits for the parent waits for it. The same proposal again is the same subtask.
 * @throws PenstockError `stale`; `forbidden`, `budget` or `too_large` with what to do instead.
 */
export async function delegateSubtask(
  ports: DelegatePorts,
  fence: Fence,
  wanted: SubtaskProposal,
): Promise<ProposalAnswer> {
  const { tenant, run: runId } = fence;
  const [run, parent] = await Promise.all([
    ports.store.get(refs.run(tenant, runId)),
    ports.store.get(refs.task(tenant, runId, fence.task)),
  ]);
  if (run === undefined || parent === undefined || heldAttempt(parent.data, fence) === undefined)
    throw staleAttempt(fence);
  const chain = await chainOf(ports, parent.data);
  const taken = await takenIds(ports, parent.data);
  const born: { child?: Task } = {};
  const { data } = await change(
    ports.store,
    parent.ref,
    (current) => {
      delete born.child;
      if (subtaskOf(current, wanted) !== undefined) return undefined;
      const made = delegated(ports, { fence, run: run.data, parent: current, chain, taken }, wanted);
      born.child = made.child;
      const ref = refs.task(tenant, runId, made.child.id);
      return { data: made.parent, also: [{ op: 'create', ref, data: made.child }] };
    },
    parent,
  );
  const id = subtaskOf(data, wanted) ?? '';
  const child = await followRun(ports, born.child ?? (await readTask(ports, fence, id)));
  if (child.state === 'pending' && child.attempts.length === 0) await dispatchTask(ports, child);
  await recordDelegation(ports, data, child);
  return { key: id, note: noteOf(child, data) };
}

function subtaskOf({ subtasks = [] }: Task, { id }: SubtaskProposal): string | undefined {
  return subtasks.find(({ proposal }) => proposal === id)?.task;
}

/** Agents from the delegating one up to the planned task. */
async function chainOf({ store }: Pick<Ports, 'store'>, task: Task): Promise<string[]> {
  const chain = [task.agent];
  let above = task.parent;
  while (above !== undefined && chain.length <= MAX_DELEGATION_DEPTH) {
    const found: { data: Task } | undefined = await store.get(refs.task(task.tenant, task.run, above));
    if (found !== undefined) chain.push(found.data.agent);
    above = found?.data.parent;
  }
  return chain;
}

/** What became of the run while the child was written: whoever changed it then did not see the child yet. */
async function followRun(ports: DelegatePorts, child: Task): Promise<Task> {
  const run = (await ports.store.get(refs.run(child.tenant, child.run)))?.data;
  const isOver = run?.stage !== 'executing';
  const held = run?.paused ?? false;
  if (!child.live || (!isOver && child.held === held)) return child;
  const at = ports.clock.now();
  const { data } = await change(ports.store, refs.task(child.tenant, child.run, child.id), (current) => {
    if (current.state !== 'pending') return undefined;
    if (isOver) return { data: withdrawn(current, { at, by: 'cancel', note: 'the run was cancelled' }) };
    return current.held === held ? undefined : { data: { ...current, held, updatedAt: at } };
  });
  return data;
}

async function readTask({ store }: Pick<Ports, 'store'>, fence: Fence, id: string): Promise<Task> {
  const found = await store.get(refs.task(fence.tenant, fence.run, id));
  if (found !== undefined) return found.data;
  throw new PenstockError('not_found', `subtask ${id} of run ${fence.run} is gone`);
}

function noteOf(child: Task, parent: Task): string {
  const usd = (child.allotmentMicroUsd / 1e6).toFixed(4);
  return (
    `Subtask ${child.id} of ${child.agent} is ${child.state}, with $${usd} of your allotment. It works beside you; ` +
    `its result comes as a message if you are still at work then, and goes to the tasks behind ${parent.id} in any case.`
  );
}
