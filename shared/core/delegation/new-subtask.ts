import type { Agent } from '../../messages/agent-file.ts';
import type { SubtaskProposal } from '../../messages/attempt-api.ts';
import { PenstockError } from '../../ports/penstock-error.ts';
import { type Fence, heldAttempt, withAttempt } from '../fence.ts';
import { MAX_TASK_BYTES } from '../fit-end.ts';
import { appendHistory } from '../history.ts';
import { storedBytes } from '../intake/sanitise-text.ts';
import { staleAttempt } from '../meter.ts';
import { newTask } from '../plan/plan-tasks.ts';
import type { Ports } from '../ports.ts';
import { refs } from '../refs.ts';
import { redact } from '../repository/scan-secrets.ts';
import type { Run } from '../run.ts';
import type { Task } from '../task.ts';
import { judgeDelegation, MAX_FAN_OUT } from './judge-delegation.ts';

const MAX_ID_CHARS = 63;

export interface Asked {
  fence: Fence;
  run: Run;
  parent: Task;
  chain: string[];
  taken: ReadonlySet<string>;
}

/** Parent and child as one commit leaves them: what the child may spend, the parent may not any more. */
export function delegated(
  { clock, agents }: Pick<Ports, 'clock' | 'agents'>,
  { fence, run, parent, chain, taken }: Asked,
  wanted: SubtaskProposal,
): { parent: Task; child: Task } {
  const attempt = heldAttempt(parent, fence);
  if (attempt === undefined) throw staleAttempt(fence);
  if (run.stage !== 'executing')
    throw new PenstockError('forbidden', `run ${run.id} is ${run.stage}; nothing is delegated any more`);
  const verdict = judgeDelegation({ parent, attempt, chain, agents }, wanted);
  if (!verdict.ok)
    throw new PenstockError(verdict.code, `${parent.id} cannot delegate this: ${verdict.reason}`);
  const { agent, microUsd } = verdict;
  const at = clock.now();
  const by = `${parent.id}/${attempt.generation}`;
  const child = childOf(run, parent, { ...wanted, id: freeId(parent, taken) }, { agent, microUsd, at });
  requireRoom(parent, child);
  const given = { proposal: wanted.id, task: child.id, generation: attempt.generation, microUsd };
  const meter = { ...attempt.meter, allowanceMicroUsd: attempt.meter.allowanceMicroUsd - microUsd };
  const note = `delegated ${child.id} to ${agent.name}`;
  return {
    child: { ...child, history: appendHistory([], { at, state: 'pending', by, note: child.title }) },
    parent: {
      ...parent,
      allotmentMicroUsd: parent.allotmentMicroUsd - microUsd,
      attempts: withAttempt(parent, { ...attempt, meter }),
      subtasks: [...(parent.subtasks ?? []), given],
      updatedAt: at,
      history: appendHistory(parent.history, { at, state: parent.state, by, note }),
    },
  };
}

/** Later its ends would have to be written into what is left. @throws PenstockError `too_large` */
function requireRoom({ id }: Task, child: Task): void {
  const bytes = storedBytes(child);
  if (bytes <= MAX_TASK_BYTES) return;
  throw new PenstockError(
    'too_large',
    `${id} cannot delegate this: the subtask takes ${bytes} bytes and ${MAX_TASK_BYTES} are allowed; shorten its instructions or its acceptance criteria`,
  );
}

/**
 * The parent runs, so what it waited for is settled: with the same dependencies the child has the same change sets in its
 * workspace and the same place in the order of integration; with the same dependants it is part of the same join.
 */
function childOf(
  run: Run,
  parent: Task,
  wanted: SubtaskProposal,
  { agent, microUsd, at }: { agent: Agent; microUsd: number; at: number },
): Task {
  const spec: Parameters<typeof newTask>[1] = {
    id: wanted.id,
    kind: 'work',
    title: redact(wanted.title),
    agent,
    instructions: redact(wanted.instructions),
    acceptance: (wanted.acceptance ?? []).map(redact),
    scope: parent.scope,
    // Without a repository there is no workspace to have.
    lane: run.targets.length === 0 ? 'function' : agent.lane,
    optional: parent.optional,
    parent: parent.id,
    depth: parent.depth + 1,
    dependencies: parent.dependencies,
    dependants: parent.dependants,
    ...(parent.dependantPools === undefined ? {} : { dependantPools: parent.dependantPools }),
    allotmentMicroUsd: microUsd,
  };
  return { ...newTask(run, spec, at, parent.maxAttempts), target: parent.target };
}

function idOf(parent: Task, n: number): string {
  const suffix = `-s${n}`;
  return `${parent.id.slice(0, MAX_ID_CHARS - suffix.length)}${suffix}`;
}

/** A plan may have used such a name itself. */
const CANDIDATES = Array.from({ length: 3 * MAX_FAN_OUT }, (_, index) => index + 1);

/** Names of subtasks that this task cannot have. */
export async function takenIds({ store }: Pick<Ports, 'store'>, parent: Task): Promise<Set<string>> {
  const candidates = CANDIDATES.map((n) => refs.task(parent.tenant, parent.run, idOf(parent, n)));
  const found = await store.getMany(candidates);
  return new Set(found.flatMap((task) => (task === undefined ? [] : [task.data.id])));
}

function freeId(parent: Task, taken: ReadonlySet<string>): string {
  const own = new Set((parent.subtasks ?? []).map(({ task }) => task));
  const free = CANDIDATES.map((n) => idOf(parent, n)).find((id) => !taken.has(id) && !own.has(id));
  if (free !== undefined) return free;
  throw new PenstockError(
    'forbidden',
    `all names for subtasks of ${parent.id} are taken; do the work yourself`,
  );
}
