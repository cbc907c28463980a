import { advanceRun } from './advance-run.ts';
import { change } from './change.ts';
import { isToAct } from './hand-over.ts';
import { rootHash } from './history.ts';
import { type Ports, publish } from './ports.ts';
import { refs, tasksOf } from './refs.ts';
import { type EndReason, isTerminal, type Run, type TerminalStage } from './run.ts';
import { inDependencyOrder, readTasks } from './run-tasks.ts';
import type { Task } from './task.ts';

type SettlePorts = Pick<Ports, 'store' | 'queue' | 'clock' | 'log'>;

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
  const live = {
    from: { collection: tasksOf(tenant, runId) },
    where: [{ field: 'live', op: '==' as const, value: true }],
  };
  if ((await ports.store.count(live)) > 0) return;
  const isUndone = async () => true;
  if (after !== undefined && !(await isToAct(ports, after, { among: [], isUndone }))) return;
  const run = (await ports.store.get(refs.run(tenant, runId)))?.data;
  if (run === undefined || isTerminal(run.stage)) return;
  const tasks = await readTasks(ports.store, tenant, runId);
  if (tasks.some((task) => task.live)) return;
  switch (run.stage) {
    case 'cancelling':
      return endRun(ports, run, 'cancelled', {
        reason: run.reason ?? { code: 'cancelled', message: 'cancelled' },
        tasks,
      });
    case 'planning': {
      const plan = tasks.find((task) => task.kind === 'plan');
      if (plan !== undefined && !plan.settled)
        await endRun(ports, run, 'failed', { reason: failureOf(plan), tasks });
      return;
    }
    case 'executing':
      return settleExecution(ports, run, tasks);
    case 'integrating':
    case 'awaiting_review':
      return publish(ports, 'run-finished', { v: 1, tenant, run: runId });
    case 'accepted':
    case 'awaiting_approval':
      return;
  }
}

async function settleExecution(ports: SettlePorts, run: Run, tasks: Task[]): Promise<void> {
  const work = tasks.filter((task) => task.kind === 'work');
  const broken = work.filter((task) => !task.settled);
  const cause = broken.find((task) => task.state === 'failed') ?? broken[0];
  if (cause !== undefined) return endRun(ports, run, 'failed', { reason: failureOf(cause), tasks });
  const changeOrder = inDependencyOrder(work)
    .filter((task) => task.result?.changeSet !== undefined)
    .map((task) => task.id);
  if (run.targets.length === 0 || changeOrder.length === 0) return endRun(ports, run, 'succeeded', { tasks });
  const at = ports.clock.now();
  await change(ports.store, refs.run(run.tenant, run.id), (current) =>
    current.stage === 'executing'
      ? { data: { ...advanceRun(current, 'integrating', { at, by: 'result-handling' }), changeOrder } }
      : undefined,
  );
  await publish(ports, 'run-finished', { v: 1, tenant: run.tenant, run: run.id });
}

/** The one terminal entry of a run, then the notice of it. A repeat finds the run ended and only repeats the notice. */
export async function endRun(
  ports: SettlePorts,
  run: Run,
  to: TerminalStage,
  { reason, tasks, facts }: { reason?: EndReason; tasks: Task[]; facts?: Pick<Run, 'pullRequest'> },
): Promise<void> {
  const at = ports.clock.now();
  const ordered = tasks.toSorted((a, b) => a.id.localeCompare(b.id));
  const tasksRoot = rootHash(ordered.map((task) => task.history));
  const { data } = await change(ports.store, refs.run(run.tenant, run.id), (current) => {
    if (isTerminal(current.stage) || current.stage !== run.stage) return undefined;
    const ended = advanceRun({ ...current, ...facts }, to, {
      at,
      by: 'engine',
      tasksRoot,
      ...(reason === undefined ? {} : { reason }),
    });
    return { data: ended };
  });
  ports.log.info(`run ${run.id} ${data.stage}`, {
    tenant: run.tenant,
    run: run.id,
    reason: data.reason?.code,
  });
  await notify(ports, data);
}

/** Asks for the run's comment and check run to be brought up to date; only runs that came from a host have them. */
export async function notify(ports: Pick<Ports, 'queue'>, run: Run): Promise<void> {
  if (!run.targets.some(({ host }) => host === 'github')) return;
  await publish(ports, 'notification-requested', { v: 1, tenant: run.tenant, run: run.id });
}

export function failureOf(task: Task): EndReason {
  const exit = task.attempts.at(-1)?.exit;
  const code = exit?.code ?? task.state;
  const many = task.attempts.length > 1 ? ` after ${task.attempts.length} attempts` : '';
  return { code, message: `task ${task.id} ${task.state}${many}: ${exit?.message ?? 'it was not executed'}` };
}
