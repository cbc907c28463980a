import { change } from './change.ts';
import { appendHistory, MAX_HISTORY } from './history.ts';
import type { Ports } from './ports.ts';
import { PenstockError } from '../ports/penstock-error.ts';
import type { Versioned } from '../ports/store.ts';
import { refs, tasksOf } from './refs.ts';
import { isTerminal, type Run, touched } from './run.ts';
import type { Task } from './task.ts';

/** Tasks of one commit. */
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
  await settleHolds(ports, run);
  return run;
}

/**
 * Brings what holds a run's live tasks back in line with whether the run is paused. Each step is one commit with the run as it was
 * read: whoever pauses or resumes it meanwhile makes that commit conflict, so that no late step undoes theirs. Bounded, idempotent.
 */
export async function settleHolds(
  { store }: Pick<Ports, 'store'>,
  { tenant, id }: Pick<Run, 'tenant' | 'id'>,
): Promise<void> {
  for (let tries = 0; tries < MAX_STEPS; tries += 1) {
    const found = await store.get(refs.run(tenant, id));
    if (found === undefined || isTerminal(found.data.stage)) return;
    // What is being cancelled begins nothing either.
    const held = found.data.paused || found.data.stage === 'cancelling';
    const wrong = await wronglyHeld(store, found.data, held);
    if (wrong.length === 0) return;
    await store.commit([
      { op: 'set', ref: found.ref, data: found.data, ifVersion: found.version },
      ...wrong.map(({ ref, data, version }) => ({
        op: 'set' as const,
        ref,
        data: { ...data, held },
        ifVersion: version,
      })),
    ]);
  }
  throw new PenstockError('conflict', `the tasks of run ${id} kept changing; try again`, { retry: 'later' });
}

/** Steps of one call: more than any run has batches, with room for conflicts. */
const MAX_STEPS = 200;

/** At most one batch of them. */
async function wronglyHeld(
  store: Ports['store'],
  { tenant, id }: Run,
  held: boolean,
): Promise<Versioned<Task>[]> {
  const { documents } = await store.query<Task>({
    from: { collection: tasksOf(tenant, id) },
    where: [
      { field: 'live', op: '==', value: true },
      { field: 'held', op: '==', value: !held },
    ],
    limit: AT_ONCE,
  });
  return documents;
}

/** The run with the flag, and who set it; its stage is as it was. */
export function withPaused(run: Run, paused: boolean, { at, by }: { at: number; by: string }): Run {
  const verb = paused ? 'paused' : 'resumed';
  const entry = { at, state: run.stage, by: paused ? 'pause' : 'resume', note: `${verb} by ${by}` };
  return { ...touched(run), paused, updatedAt: at, history: appendHistory(run.history, entry) };
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
