import { MAX_PAGE } from '../ports/store.ts';
import { change } from './change.ts';
import type { Ports } from './ports.ts';
import type { Effect } from './refs.ts';
import { sweep, type SweepReport } from './sweep.ts';
import { lostWhere, takeBack } from './take-back.ts';
import { currentAttempt, type Task, UNDER_WAY } from './task.ts';

/**
 * For a platform that is one process: whatever its predecessor was in the middle of is dead, so nobody has to wait for leases.
 * Jobs are processes of their own and keep theirs.
 */
export async function recoverHost(ports: Ports): Promise<SweepReport> {
  const held = await ports.store.query<Task>({
    from: { group: 'tasks' },
    where: [{ field: 'state', op: 'in', value: UNDER_WAY }],
    limit: MAX_PAGE,
  });
  const isDead = (task: Task) =>
    task.state === 'starting' || (task.lane === 'function' && currentAttempt(task)?.host !== ports.host);
  for (const { data } of held.documents) if (isDead(data)) await takeBack(ports, data, lostWhere(isDead));
  await releaseEffects(ports);
  return sweep(ports, { runCheckMs: 0 });
}

async function releaseEffects(ports: Ports): Promise<void> {
  const now = ports.clock.now();
  const open = await ports.store.query<Effect>({
    from: { group: 'effects' },
    where: [
      { field: 'state', op: '==', value: 'intended' },
      { field: 'claimUntil', op: '>', value: now },
    ],
    limit: MAX_PAGE,
  });
  for (const { ref } of open.documents) {
    await change(ports.store, ref, (effect) =>
      effect.state === 'intended' ? { data: { ...effect, claimUntil: 0 } } : undefined,
    );
  }
}
