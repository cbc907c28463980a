import { advanceRun } from './advance-run.ts';
import { change } from './change.ts';
import { voidDecision, voidDecisions } from './decisions/void-decisions.ts';
import { handBack } from './drivers/hand-back.ts';
import { mayBegin } from './drivers/may-begin.ts';
import { runEndFields } from './end-fields.ts';
import { rootHash } from './history.ts';
import { keepTaskLetter } from './keep-task-letter.ts';
import { type Ports, publish } from './ports.ts';
import { refs, tasksOf } from './refs.ts';
import { type EndReason, isTerminal, type Run, type TerminalStage } from './run.ts';
import { inDependencyOrder, readTasks } from './run-tasks.ts';
import { spentMicroUsd, type Task } from './task.ts';
import type { Versioned, Where } from '../ports/store.ts';

export type SettlePorts = Pick<Ports, 'store' | 'queue' | 'clock' | 'log' | 'memory' | 'trace' | 'workflows'>;

/**
 * When nothing of a run is live any more: its next stage, or its end. Idempotent; may be called at any time.
 * `after`: the task whose end is followed, so that of many that end together one reads the whole run.
 */
export async function settleRun(
  ports: SettlePorts,
  tenant: string,
  runId: string,
  after?: Task,
): Promise<void> {
  const where: Where[] = [{ field: 'live', op: '==', value: true }];
  const live = await ports.store.count({ from: { collection: tasksOf(tenant, runId) }, where, upTo: 1 });
  if (live > 0) return;
  const settle = () => settleIdle(ports, tenant, runId);
  if (after === undefined) await settle();
  else await ports.memory.once(`settle ${tenant}/${runId}`, after.id, settle);
}

/** Whether it was there to settle. */
async function settleIdle(ports: SettlePorts, tenant: string, runId: string): Promise<boolean> {
  const found = await ports.store.get(refs.run(tenant, runId));
  if (found === undefined || isTerminal(found.data.stage)) return true;
  const tasks = await readTasks(ports.store, tenant, runId);
  if (tasks.some((task) => task.live)) return false;
  await settleStage(ports, found, tasks);
  return true;
}

async function settleStage(ports: SettlePorts, known: Versioned<Run>, tasks: Task[]): Promise<void> {
  const run = known.data;
  switch (run.stage) {
    case 'cancelling':
      return endRun(ports, run, 'cancelled', {
        reason: run.reason ?? { code: 'cancelled', message: 'cancelled' },
        tasks,
        known,
      });
    case 'planning': {
      const plan = tasks.find((task) => task.kind === 'plan');
      if (plan !== undefined && !plan.settled)
        await endRun(ports, run, 'failed', { reason: failureOf(plan), tasks, known });
      return;
    }
    case 'executing':
      return settleExecution(ports, known, tasks);
    case 'integrating':
    case 'awaiting_review':
      return publish(ports, 'run-finished', { v: 1, tenant: run.tenant, run: run.id }, run);
    case 'accepted':
    case 'awaiting_approval':
    case 'succeeded':
    case 'failed':
    case 'cancelled':
      return;
  }
}

async function settleExecution(ports: SettlePorts, known: Versioned<Run>, tasks: Task[]): Promise<void> {
  const run = known.data;
  const work = tasks.filter((task) => task.kind === 'work');
  const broken = work.filter((task) => !task.settled);
  const cause = broken.find((task) => task.state === 'failed') ?? broken[0];
  if (cause !== undefined) return endRun(ports, run, 'failed', { reason: failureOf(cause), tasks, known });
  const changeOrder = inDependencyOrder(work)
    .filter((task) => task.result?.changeSet !== undefined)
    .map((task) => task.id);
  if (run.targets.length === 0 || changeOrder.length === 0)
    return endRun(ports, run, 'succeeded', { tasks, known });
  if (!mayBegin(run, 'integrate')) return handBack(ports, run, 'integrate');
  const at = ports.clock.now();
  const decide = (current: Run) =>
    current.stage === 'executing'
      ? { data: { ...advanceRun(current, 'integrating', { at, by: 'result-handling' }), changeOrder } }
      : undefined;
  await change(ports.store, known.ref, decide, known);
  await publish(ports, 'run-finished', { v: 1, tenant: run.tenant, run: run.id }, run);
}

export interface RunEnd {
  reason?: EndReason;
  tasks: Task[];
  facts?: Pick<Run, 'pullRequest'>;
  /** The run as it was read; saves another read. */
  known?: Versioned<Run>;
  /** Nothing is ended, and nothing told, where the run has changed since it was read: tasks may have been added to it. */
  onlyAsKnown?: boolean;
}

/** The one terminal entry of a run, then the notice of it. A repeat finds the run ended and only repeats the notice. */
export async function endRun(
  ports: SettlePorts,
  run: Run,
  to: TerminalStage,
  { reason, tasks, facts, known, onlyAsKnown = false }: RunEnd,
): Promise<void> {
  const at = ports.clock.now();
  const ordered = tasks.toSorted((a, b) => a.id.localeCompare(b.id));
  const tasksRoot = rootHash(ordered.map((task) => task.history));
  const chargedMicroUsd = tasks.reduce((sum, task) => sum + spentMicroUsd(task), 0);
  const decide = (current: Run) => {
    if (isTerminal(current.stage) || current.stage !== run.stage) return undefined;
    if (onlyAsKnown && current !== known?.data) return undefined;
    const ended = advanceRun({ ...current, ...facts, chargedMicroUsd }, to, {
      at,
      by: 'engine',
      tasksRoot,
      ...(reason === undefined ? {} : { reason }),
    });
    return { data: ended };
  };
  // Before the end, because nobody comes back after it.
  await voidDecisions(ports, tasks);
  if (run.decision !== undefined) await voidDecision(ports, run.tenant, run.decision);
  for (const task of tasks) await keepTaskLetter(ports, task);
  const { data, changed } = await change(ports.store, refs.run(run.tenant, run.id), decide, known);
  if (onlyAsKnown && !isTerminal(data.stage)) return;
  // Counted by metrics: of several that see the end, the one that wrote it says so.
  if (changed) ports.log.info(`run ${run.id} ${data.stage}`, runEndFields(data, tasks));
  await notify(ports, data);
  await handBack(ports, data);
}

/** Asks for the run's comment and check run to be brought up to date; only runs that came from a host have them. */
export async function notify(ports: Pick<Ports, 'queue' | 'trace'>, run: Run): Promise<void> {
  if (!run.targets.some(({ host }) => host === 'github')) return;
  await publish(ports, 'notification-requested', { v: 1, tenant: run.tenant, run: run.id }, run);
}

export function failureOf(task: Task): EndReason {
  const exit = task.attempts.at(-1)?.exit;
  const code = exit?.code ?? task.state;
  const many = task.attempts.length > 1 ? ` after ${task.attempts.length} attempts` : '';
  return { code, message: `task ${task.id} ${task.state}${many}: ${exit?.message ?? 'it was not executed'}` };
}
