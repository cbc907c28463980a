import { PenstockError } from '../ports/penstock-error.ts';
import type { Store } from '../ports/store.ts';
import { refs } from './refs.ts';
import type { Run } from './run.ts';

/** The newest run of a TaskRun name. Throws `not_found` where the tenant has none. */
export async function findTaskRun(store: Store, tenant: string, name: string): Promise<Run> {
  const newest = (await store.get(refs.taskRun(tenant, name)))?.data.run;
  const run = newest === undefined ? undefined : (await store.get(refs.run(tenant, newest)))?.data;
  if (run !== undefined) return run;
  const shown = JSON.stringify(name.slice(0, 80));
  throw new PenstockError('not_found', `there is no TaskRun ${shown}; its name is {service}-{taskId}`);
}
