import type { DecisionView } from '../../messages/decision.ts';
import type { Page, Query, Store } from '../../ports/store.ts';
import { decisionsOf, refs } from '../refs.ts';
import { decisionView } from '../views/decision-view.ts';
import type { Run } from '../run.ts';
import type { Task } from '../task.ts';
import { type Decision, isAwaited } from './decision.ts';

/** A page of a tenant's decisions as they stand now, which takes their tasks too. */
export async function readDecisions(
  store: Store,
  tenant: string,
  query: Omit<Query<Decision>, 'from'>,
): Promise<{ views: DecisionView[]; cursor?: string }> {
  const page: Page<Decision> = await store.query({ from: { collection: decisionsOf(tenant) }, ...query });
  const decisions = page.documents.map(({ data }) => data);
  return {
    views: await viewsOf(store, decisions),
    ...(page.cursor === undefined ? {} : { cursor: page.cursor }),
  };
}

/** Ids of what a run waits for a person to answer. */
export async function openDecisionsOf(store: Store, tenant: string, run: string): Promise<string[]> {
  const { views } = await readDecisions(store, tenant, {
    where: [
      { field: 'run', op: '==', value: run },
      { field: 'state', op: '==', value: 'open' },
    ],
    limit: MAX_OPEN,
  });
  return views.filter(({ state }) => state === 'open').map(({ id }) => id);
}
/** More open questions of one run than this are answered in turns. */
const MAX_OPEN = 50;

/** What a run and its tasks wait for a person to decide; nothing is read where nobody is waited for. */
export async function awaitedDecisions(store: Store, run: Run, tasks: readonly Task[]): Promise<Decision[]> {
  const waiting = new Map<string, Run | Task>(
    tasks.flatMap((task) =>
      task.state === 'blocked' && task.decision !== undefined ? [[task.decision, task]] : [],
    ),
  );
  if (run.decision !== undefined) waiting.set(run.decision, run);
  if (waiting.size === 0) return [];
  const found = await store.getMany(
    [...waiting.keys()].slice(0, MAX_OPEN).map((id) => refs.decision(run.tenant, id)),
  );
  return found.flatMap((each) =>
    each !== undefined && isAwaited(each.data, waiting.get(each.data.id)) ? [each.data] : [],
  );
}

export async function viewsOf(store: Store, decisions: Decision[]): Promise<DecisionView[]> {
  if (decisions.length === 0) return [];
  const waiting = await store.getMany<Task | Run>(
    decisions.map(({ tenant, run, task }) =>
      task === undefined ? refs.run(tenant, run) : refs.task(tenant, run, task),
    ),
  );
  return decisions.map((decision, index) => decisionView(decision, waiting[index]?.data));
}
