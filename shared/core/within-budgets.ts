import { PenstockError } from '../ports/penstock-error.ts';
import { MAX_PAGE, type Versioned, type Where } from '../ports/store.ts';
import type { Ports } from './ports.ts';
import { runsOf } from './refs.ts';
import type { EndReason, Run } from './run.ts';
import type { Settings } from './settings.ts';
import { usd } from './usd.ts';

type BudgetPorts = Pick<Ports, 'store' | 'settings'>;

/** A limit on what the runs of one calendar month (UTC) may spend and set aside together. */
interface Budget {
  of: string;
  setting: string;
  limitMicroUsd: number;
  where: Where[];
}

/** A budget with what counts in it, the run that was asked about included. */
export interface Overrun extends Budget {
  month: string;
  sumMicroUsd: number;
}

/**
 * A run that was accepted without its charge, with it: committed where a budget limits the run, and otherwise by whoever commits
 * the run next.
 * @throws PenstockError `conflict`, later: the run has changed since it was read.
 */
export async function chargeRun(ports: BudgetPorts, found: Versioned<Run>): Promise<Versioned<Run>> {
  const run = found.data;
  if (run.chargedMicroUsd > 0) return found;
  const data: Run = { ...run, chargedMicroUsd: run.budget.limitMicroUsd };
  if (!(await hasBudgets(ports, run))) return { ...found, data };
  const result = await ports.store.commit([{ op: 'set', ref: found.ref, data, ifVersion: found.version }]);
  if (result.outcome === 'committed') return { ...found, data, version: result.versions[0] ?? '' };
  throw new PenstockError('conflict', `run ${run.id} changed while its budget was set aside`, {
    retry: 'later',
  });
}

/**
 * Whether a run that has been committed fits the budgets of its tenant and project; the reason to end it where it does not.
 * Each run is committed with its charge before it looks (as it is accepted, or by {@link chargeRun}), so of two that do not fit together at least one sees the other, and
 * never both go on. Reads nothing but the cached settings where there is no such budget.
 * @throws PenstockError `unavailable`, later: it would fit without runs that came after it and have not looked yet; they end or go on first.
 */
export async function withinBudgets(ports: BudgetPorts, run: Run): Promise<EndReason | undefined> {
  const over = await findOverrun(ports, run);
  if (over === undefined) return undefined;
  const undecided = await chargedLater(ports, run, over);
  if (undecided > 0 && over.sumMicroUsd - undecided <= over.limitMicroUsd) {
    throw new PenstockError(
      'unavailable',
      `run ${run.id} waits for later runs that share the budget of ${over.of} with it`,
      { retry: 'later' },
    );
  }
  const message =
    `${overrunText(over)}, the ${usd(run.chargedMicroUsd)} of run ${run.id} included; submit it with a smaller budget, ` +
    `wait until others have ended, or ask a team admin to raise ${over.setting} (PUT /api/tenants/${run.tenant})`;
  return { code: 'budget', message };
}

/** The first budget that the run's charge, as it is recorded, takes over its limit. */
export async function findOverrun(ports: BudgetPorts, run: Run): Promise<Overrun | undefined> {
  const budgets = budgetsOf(run, await ports.settings(run.tenant));
  const { month, where } = monthOf(run);
  for (const budget of budgets) {
    const sumMicroUsd = await sumCharged(ports, run, [...where, ...budget.where]);
    if (sumMicroUsd > budget.limitMicroUsd) return { ...budget, month, sumMicroUsd };
  }
  return undefined;
}

export function overrunText({ of, month, sumMicroUsd, limitMicroUsd }: Overrun): string {
  return `the runs of ${of} would have ${usd(sumMicroUsd)} spent or set aside in ${month}, over its budget of ${usd(limitMicroUsd)}`;
}

/** Whether any budget but its own limits the run. */
export async function hasBudgets(ports: Pick<Ports, 'settings'>, run: Run): Promise<boolean> {
  return budgetsOf(run, await ports.settings(run.tenant)).length > 0;
}

function budgetsOf({ tenant, project }: Run, settings: Settings): Budget[] {
  const { monthlyBudgetMicroUsd, projectBudgetsMicroUsd } = settings;
  const ofProject = project === undefined ? undefined : projectBudgetsMicroUsd.get(project);
  const budgets: Budget[] = [];
  if (monthlyBudgetMicroUsd !== undefined) {
    const name = { of: `tenant ${tenant}`, setting: 'monthlyBudgetUsd' };
    budgets.push({ ...name, limitMicroUsd: monthlyBudgetMicroUsd, where: [] });
  }
  if (project !== undefined && ofProject !== undefined) {
    const name = { of: `project ${project}`, setting: `projectBudgetsUsd['${project}']` };
    const where: Where[] = [{ field: 'project', op: '==', value: project }];
    budgets.push({ ...name, limitMicroUsd: ofProject, where });
  }
  return budgets;
}

/** A run belongs to the month that it was created in, whenever it spends. */
function monthOf({ createdAt }: Run): { month: string; where: Where[] } {
  const date = new Date(createdAt);
  const start = Date.UTC(date.getUTCFullYear(), date.getUTCMonth());
  const end = Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1);
  return {
    month: date.toISOString().slice(0, 7),
    where: [
      { field: 'createdAt', op: '>=', value: start },
      { field: 'createdAt', op: '<', value: end },
    ],
  };
}

/** Of runs that came after this one (by time, then id) and have not been let on: they may still give way. */
async function chargedLater(ports: BudgetPorts, run: Run, over: Overrun): Promise<number> {
  const page = await ports.store.query<Run>({
    from: { collection: runsOf(run.tenant) },
    where: [
      { field: 'stage', op: '==', value: 'accepted' },
      // A paused one gives way to nobody until somebody resumes it.
      { field: 'paused', op: '==', value: false },
      { field: 'createdAt', op: '>=', value: run.createdAt },
      ...over.where,
    ],
    limit: MAX_PAGE,
  });
  return page.documents
    .filter(({ data }) => data.createdAt > run.createdAt || data.id > run.id)
    .filter(({ data }) => monthOf(data).month === over.month)
    .reduce((sum, { data }) => sum + data.chargedMicroUsd, 0);
}

function sumCharged(ports: BudgetPorts, { tenant }: Run, where: Where[]): Promise<number> {
  return ports.store.sum({ from: { collection: runsOf(tenant) }, where, field: 'chargedMicroUsd' });
}
