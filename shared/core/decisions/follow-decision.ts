import { MAX_PAGE } from '../../ports/store.ts';
import { dispatchTask } from '../dispatch-task.ts';
import { followEnded } from '../follow-task.ts';
import { type Ports, publish } from '../ports.ts';
import { decisionsOf, refs } from '../refs.ts';
import { notify } from '../settle-run.ts';
import type { Decision } from './decision.ts';
import { openDecision } from './open-decision.ts';

/** What follows an answer: the next attempt, or what follows an ended task. Idempotent. */
export async function followDecision(ports: Ports, decision: Decision): Promise<void> {
  const { tenant, run: runId, task: id } = decision;
  if (id === undefined) return followRun(ports, decision);
  const task = (await ports.store.get(refs.task(tenant, runId, id)))?.data;
  if (task === undefined) return;
  if (!task.live) await followEnded(ports, task);
  else if (task.state === 'pending' && !task.held) await dispatchTask(ports, task);
  if (decision.option === 'raise') await renewOthers(ports, decision);
  const run = (await ports.store.get(refs.run(tenant, runId)))?.data;
  if (run !== undefined) await notify(ports, run);
}

/** The engine comes by the run again, as if nothing had been asked. */
export async function followRun(
  ports: Pick<Ports, 'store' | 'queue' | 'trace'>,
  { tenant, run: id }: Pick<Decision, 'tenant' | 'run'>,
): Promise<void> {
  const run = (await ports.store.get(refs.run(tenant, id)))?.data;
  if (run === undefined) return;
  const topic = run.stage === 'awaiting_approval' ? 'run-accepted' : 'run-finished';
  await publish(ports, topic, { v: 1, tenant, run: id }, run);
  await notify(ports, run);
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
    const asked = data.task === undefined ? undefined : refs.task(tenant, run, data.task);
    const task = asked === undefined ? undefined : (await ports.store.get(asked))?.data;
    if (task !== undefined) await openDecision(ports, task);
  }
}
