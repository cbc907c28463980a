import { change } from './change.ts';
import { appendHistory, MAX_HISTORY } from './history.ts';
import type { Ports } from './ports.ts';
import { PenstockError } from '../ports/penstock-error.ts';
import { refs } from './refs.ts';
import { isTerminal, type Run } from './run.ts';
import { readTasks } from './run-tasks.ts';
import type { Task } from './task.ts';

/** Tasks whose records are written at the same moment. */
const AT_ONCE = 25;

/**
 * No new attempt and no new stage begins until the run is resumed; attempts under way go on, and their results are stored.
 * Repeating it is fine. The flag comes first: what a crash leaves of the rest, the sweep does.
 * @throws PenstockError `conflict` for a run that has ended or is being cancelled.
 */
export async function pauseRun(
  ports: Pick<Ports, 'store' | 'clock'>,
  tenant: string,
  id: string,
  by: string,
): Promise<Run> {
  const { data: run } = await change(ports.store, refs.run(tenant, id), (current) => {
    requireGoingOn(current, 'pause');
    if (current.paused) return undefined;
    if (current.history.length > MAX_HISTORY / 2) throw tooOften(current);
    return { data: withPaused(current, true, { at: ports.clock.now(), by }) };
  });
  await settleHolds(ports, run, await readTasks(ports.store, tenant, id));
  return run;
}

/** Brings what holds a run's live tasks back in line with whether the run is paused. Bounded, idempotent. */
export async function settleHolds(
  ports: Pick<Ports, 'store'>,
  run: Run,
  tasks: readonly Task[],
): Promise<void> {
  const { tenant, id, paused } = run;
  const wrong = tasks.filter((task) => task.live && task.held !== paused);
  if (wrong.length === 0) return;
  for (let at = 0; at < wrong.length; at += AT_ONCE) {
    const batch = wrong.slice(at, at + AT_ONCE);
    await Promise.all(batch.map((task) => hold(ports, refs.task(tenant, id, task.id), paused)));
  }
  // Whoever has resumed it in between may have passed a task before it was held here.
  const now = (await ports.store.get(refs.run(tenant, id)))?.data;
  if (now === undefined || now.paused === paused) return;
  await settleHolds(ports, now, await readTasks(ports.store, tenant, id));
}

async function hold(
  ports: Pick<Ports, 'store'>,
  ref: ReturnType<typeof refs.task>,
  held: boolean,
): Promise<void> {
  await change(ports.store, ref, (task) =>
    task.live && task.held !== held ? { data: { ...task, held } } : undefined,
  );
}

/** The run with the flag, and who set it; its stage is as it was. */
export function withPaused(run: Run, paused: boolean, { at, by }: { at: number; by: string }): Run {
  const verb = paused ? 'paused' : 'resumed';
  const entry = { at, state: run.stage, by: paused ? 'pause' : 'resume', note: `${verb} by ${by}` };
  return { ...run, paused, updatedAt: at, history: appendHistory(run.history, entry) };
}

/** @throws PenstockError `conflict` for a run that has ended or is being cancelled. */
export function requireGoingOn({ id, stage }: Run, verb: 'pause' | 'resume'): void {
  if (stage !== 'cancelling' && !isTerminal(stage)) return;
  const why = stage === 'cancelling' ? 'is being cancelled' : `has already ${ended[stage]}`;
  throw new PenstockError('conflict', `run ${id} ${why}; there is nothing to ${verb}`);
}

const ended = { succeeded: 'succeeded', failed: 'failed', cancelled: 'been cancelled' } as const;

/** The history must have room for the rest of the run. */
function tooOften({ id }: Run): PenstockError {
  return new PenstockError('conflict', `run ${id} has been paused too often; let it end, or cancel it`);
}
