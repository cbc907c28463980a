import { PenstockError } from '../../ports/penstock-error.ts';
import type { Versioned, Write } from '../../ports/store.ts';
import { change } from '../change.ts';
import type { Ports } from '../ports.ts';
import { refs } from '../refs.ts';
import { type Run, touched } from '../run.ts';
import type { Task } from '../task.ts';
import { findOverrun, hasBudgets, overrunText } from '../within-budgets.ts';
import { askBudgetRaise, raiseBudget, raisedTotal, stopAtLimit } from './budget-raise.ts';
import { type Decision, type DecisionAnswer, goesOn, isAwaited } from './decision.ts';
import { settleRunDecision } from './settle-run-decision.ts';

type SettlePorts = Pick<Ports, 'store' | 'clock' | 'settings'>;

/** Who answers, and what becomes of the decision: the deadline lets it expire. */
export interface Settler {
  by: string;
  as: 'decided' | 'expired';
}

/** The records that an answer changes, as they were read. */
interface Subject {
  decision: Versioned<Decision>;
  run: Versioned<Run>;
  task: Versioned<Task>;
}

/**
 * Answers an open decision: decision, task and run change in one commit or not at all. `stale`: what it binds to is no longer
 * so; `conflict`: somebody else changed one of them meanwhile, so read again.
 * @throws PenstockError `invalid` or `conflict` where the answer itself cannot be taken.
 */
export async function settleDecision(
  ports: SettlePorts,
  found: Versioned<Decision>,
  answer: DecisionAnswer,
  settler: Settler,
): Promise<Decision | 'stale' | 'conflict'> {
  if (found.data.task === undefined) return settleRunDecision(ports, found, answer, settler);
  const subject = await readSubject(ports, found, found.data.task);
  if (subject === undefined) return 'stale';
  const at = ports.clock.now();
  const stamp = { at, by: settler.by };
  const settled: Decision = { ...found.data, ...answer, state: settler.as, actor: settler.by, endedAt: at };
  const { run, task } = subject;
  if (answer.option === 'stop')
    return commit(ports, subject, settled, { run: run.data, task: stopAtLimit(task.data, stamp) });
  const total = raisedTotal(run.data, task.data, answer);
  const reserved = await reserve(ports, run, total);
  if (reserved === 'conflict') return reserved;
  const raised = raiseBudget(reserved.data, task.data, { ...stamp, total });
  return commit(ports, { ...subject, run: reserved }, { ...settled, budgetMicroUsd: total }, raised);
}

/** Run and task of a decision, if both are still as they were when it was asked. */
async function readSubject(
  ports: SettlePorts,
  decision: Versioned<Decision>,
  id: string,
): Promise<Subject | undefined> {
  const { tenant, run: runId, contentHash } = decision.data;
  const [run, task] = await Promise.all([
    ports.store.get(refs.run(tenant, runId)),
    ports.store.get(refs.task(tenant, runId, id)),
  ]);
  if (run === undefined || task === undefined) return undefined;
  if (!goesOn(run.data) || !isAwaited(decision.data, task.data)) return undefined;
  return askBudgetRaise(run.data, task.data).contentHash === contentHash
    ? { decision, run, task }
    : undefined;
}

async function commit(
  ports: SettlePorts,
  subject: Subject,
  settled: Decision,
  changed: { run: Run; task: Task },
): Promise<Decision | 'conflict'> {
  const set = (found: Versioned<object>, data: object): Write => ({
    op: 'set',
    ref: found.ref,
    data,
    ifVersion: found.version,
  });
  const { outcome } = await ports.store.commit([
    set(subject.decision, settled),
    set(subject.task, changed.task),
    set(subject.run, settled.state === 'decided' ? touched(changed.run) : changed.run),
  ]);
  return outcome === 'committed' ? settled : 'conflict';
}

/**
 * Where the run shares a budget with others it counts for its new total before the sum is looked at, so that of two raises at
 * once at least one sees the other. What does not fit is taken back.
 */
async function reserve(
  ports: SettlePorts,
  found: Versioned<Run>,
  total: number,
): Promise<Versioned<Run> | 'conflict'> {
  if (!(await hasBudgets(ports, found.data))) return found;
  const data: Run = { ...found.data, chargedMicroUsd: total };
  const result = await ports.store.commit([{ op: 'set', ref: found.ref, data, ifVersion: found.version }]);
  if (result.outcome === 'conflict') return 'conflict';
  const over = await findOverrun(ports, data);
  if (over === undefined) return { ...found, data, version: result.versions[0] ?? '' };
  await change(ports.store, found.ref, (run) =>
    goesOn(run) ? { data: { ...run, chargedMicroUsd: run.budget.limitMicroUsd } } : undefined,
  );
  throw new PenstockError(
    'conflict',
    `${overrunText(over)}; raise run ${data.id} by less, answer with stop, or ask a team admin to raise ${over.setting} (PUT /api/tenants/${data.tenant})`,
  );
}
