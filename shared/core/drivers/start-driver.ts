import { PenstockError } from '../../ports/penstock-error.ts';
import type { Workflows } from '../../ports/workflow-callbacks.ts';
import { change } from '../change.ts';
import { failRun } from '../fail-run.ts';
import type { Ports } from '../ports.ts';
import { refs } from '../refs.ts';
import { DIRECT, type EndReason, isTerminal, type Run } from '../run.ts';
import type { SettlePorts } from '../settle-run.ts';

/** A workflow that ends so often before it has claimed its run will not do better the next time. */
const MAX_STARTS = 5;

/**
 * Starts the execution that drives a run, unless one has claimed the run or is about to. A second one, started because nobody could
 * tell, does no harm: its claim is refused.
 */
export async function startDriver(ports: SettlePorts, run: Run): Promise<void> {
  const { tenant, id, driver, execution, flags = {} } = run;
  if (execution?.claimedAt !== undefined) return;
  const workflows = workflowsOf(ports, run);
  if (execution !== undefined) {
    const state = await workflows.state({ workflow: driver, id: execution.id });
    if (state === 'active') return;
    if (execution.starts >= MAX_STARTS && state !== 'unavailable')
      return failRun(ports, run, ended(run, state));
  }
  const started = await workflows.start({ workflow: driver, argument: { tenant, run: id, flags } });
  const startedAt = ports.clock.now();
  const { changed } = await change(ports.store, refs.run(tenant, id), (current) => {
    const isTaken = current.execution?.claimedAt !== undefined || isTerminal(current.stage);
    const starts = (current.execution?.starts ?? 0) + 1;
    return isTaken ? undefined : { data: { ...current, execution: { id: started.id, startedAt, starts } } };
  });
  if (changed)
    ports.log.info(`workflow ${driver} drives run ${id}: execution ${started.id}`, { tenant, run: id });
}

/**
 * For the sweep: a live run whose execution is gone would wait for ever. One that nobody has claimed is given another; one whose
 * execution has ended otherwise than with the run ends with that as its reason. Who cannot be asked now is asked by the next sweep.
 */
export async function checkDriver(ports: SettlePorts, run: Run): Promise<void> {
  if (run.driver === DIRECT || run.stage === 'cancelling') return;
  try {
    await check(ports, run);
  } catch (error) {
    say(ports, run, 'could not be looked after, the next sweep does', error);
  }
}

async function check(ports: SettlePorts, run: Run): Promise<void> {
  const { driver, execution, stage } = run;
  // Its first execution is started by decomposition, which asks who may before.
  if (stage === 'accepted' && execution === undefined) return;
  if (execution?.claimedAt === undefined) return startDriver(ports, run);
  const state = await workflowsOf(ports, run).state({ workflow: driver, id: execution.id });
  if (state !== 'active' && state !== 'unavailable') await failRun(ports, run, ended(run, state));
}

/** What becomes of the execution of a run that is cancelled. One that cannot be reached is woken by the run's end, and ends itself. */
export async function cancelDriver(ports: Pick<Ports, 'workflows' | 'log'>, run: Run): Promise<void> {
  const { driver, execution } = run;
  if (execution === undefined) return;
  try {
    await ports.workflows?.cancel({ workflow: driver, id: execution.id });
  } catch (error) {
    say(ports, run, 'could not be cancelled', error);
  }
}

function say({ log }: Pick<Ports, 'log'>, { tenant, id, driver }: Run, what: string, error: unknown): void {
  const why = error instanceof Error ? error.message : String(error);
  log.warn(`workflow ${driver} of run ${id} ${what}: ${why}`, { tenant, run: id });
}

function ended({ id, driver, execution }: Run, state: 'succeeded' | 'failed' | 'cancelled'): EndReason {
  const how = { succeeded: 'ended before the run did', failed: 'failed', cancelled: 'was cancelled' }[state];
  const message = `execution ${execution?.id ?? ''} of workflow ${driver} ${how}; read its log, mend workflows/${driver}.yaml, and retry run ${id}`;
  return { code: `workflow_${state}`, message };
}

function workflowsOf({ workflows }: Pick<Ports, 'workflows'>, { id, driver }: Run): Workflows {
  if (workflows !== undefined) return workflows;
  throw new PenstockError(
    'config',
    `run ${id} is driven by workflow ${driver}, and no workflows are run here; submit it with driver direct`,
  );
}
