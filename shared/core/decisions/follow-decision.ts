import { MAX_PAGE } from '../../ports/store.ts';
import { dispatchTask } from '../dispatch-task.ts';
import { followEnded } from '../follow-task.ts';
import type { Ports } from '../ports.ts';
import { decisionsOf, refs } from '../refs.ts';
import { notify } from '../settle-run.ts';
import type { Decision } from './decision.ts';
import { openDecision } from './open-decision.ts';

/** What follows an answer: the next attempt, or what follows an ended task. Idempotent. */
export async function followDecision(ports: Ports, decision: Decision): Promise<void> {
  const { tenant, run: runId, task: id } = decision;
  const task = (await ports.store.get(refs.task(tenant, runId, id)))?.data;
  if (task === undefined) return;
  if (!task.live) await followEnded(ports, task);
  else if (task.state === 'pending' && !task.held) await dispatchTask(ports, task);
  if (decision.option === 'raise') await renewOthers(ports, decision);
  const run = (await ports.store.get(refs.run(tenant, runId)))?.data;
  if (run !== undefined) await notify(ports, run);
}

/** The run's other open questions named its old total: they are asked again with the new one. */
async function renewOthers(ports: Ports, { tenant, run }: Decision): Promise<void> {
  const page = await ports.store.query<Decision>({
    from: { collection: decisionsOf(tenant) },
    where: [
      { field: 'run', op: '==', value: run },
      { field: 'state', op: '==', value: 'open' },
    ],
    limit: MAX_PAGE,
  });
  for (const { data } of page.documents) {
    const task = (await ports.store.get(refs.task(tenant, run, data.task)))?.data;
    if (task !== undefined) await openDecision(ports, task);
  }
}
