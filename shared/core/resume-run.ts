import { change } from './change.ts';
import { requireGoingOn, withPaused } from './pause-run.ts';
import type { Ports } from './ports.ts';
import { refs } from './refs.ts';
import type { Run } from './run.ts';
import { rederive } from './sweep.ts';

/**
 * Lets a paused run go on, and its tasks, and asks for what became due meanwhile. Repeating it is fine. The flag comes first: what a
 * crash leaves of the rest, the sweep does.
 * @throws PenstockError `conflict` for a run that has ended or is being cancelled.
 */
export async function resumeRun(ports: Ports, tenant: string, id: string, by: string): Promise<Run> {
  const ref = refs.run(tenant, id);
  const { data: run } = await change(ports.store, ref, (current) => {
    requireGoingOn(current, 'resume');
    return current.paused ? { data: withPaused(current, false, { at: ports.clock.now(), by }) } : undefined;
  });
  await rederive(ports, run);
  return (await ports.store.get(ref))?.data ?? run;
}
