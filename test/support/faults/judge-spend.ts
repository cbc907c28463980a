import type { Run } from '../../../shared/core/run.ts';
import type { Task } from '../../../shared/core/task.ts';
import { modelById } from '../../../shared/core/models/model-table.ts';
import { reservationFor } from '../../../shared/core/models/price.ts';
import type { ProviderCall, ProviderLedger } from './provider.ts';

/** The part of a task that says what it cost. */
export interface SpentTask extends Pick<Task, 'id'> {
  attempts: { meter: { allowanceMicroUsd: number; spentMicroUsd: number; calls: number } }[];
}

export interface Bill extends ProviderLedger {
  /** Answers that may have been lost on the way: by a process that ended, by a lease that passed, by a write that failed. */
  losses: number;
}

/**
 * The platform's ledger against the provider's: an answered call is charged once what it cost, one that broke off its
 * reservation, one that was refused nothing; and of at most so many calls as may have been lost the reservation instead.
 */
export function judgeSpend(run: Pick<Run, 'budget'>, tasks: readonly SpentTask[], bill: Bill): string[] {
  const spent = tasks.reduce((sum, task) => sum + spentBy(task), 0);
  const over =
    spent > run.budget.limitMicroUsd
      ? [`${spent} micro-USD are over the budget of ${run.budget.limitMicroUsd}`]
      : [];
  return [...tasks.flatMap((task) => judgeTask(task, bill)), ...over];
}

function judgeTask(task: SpentTask, { calls, counts, losses }: Bill): string[] {
  const own = calls.filter((call) => call.task === task.id);
  const meant = counts.filter((call) => call.task === task.id);
  const due = own.reduce((sum, call) => sum + chargeOf(call), 0);
  const spent = spentBy(task);
  const sums = sumsOf(lostCharges(task, own, meant), losses);
  const settled = task.attempts.reduce((sum, { meter }) => sum + meter.calls, 0);
  const done = own.filter(({ end }) => end !== 'refused').length;
  return [
    ...(sums.has(spent - due)
      ? []
      : [
          `task ${task.id}: ${spent} micro-USD are recorded, ${due} are due for ${done} calls; no ${losses} lost ones explain the difference`,
        ]),
    ...(settled > done ? [`task ${task.id}: ${settled} calls are recorded, the model did ${done}`] : []),
  ];
}

function spentBy({ attempts }: SpentTask): number {
  return attempts.reduce((sum, { meter }) => sum + meter.spentMicroUsd, 0);
}

function chargeOf(call: ProviderCall): number {
  if (call.end === 'refused') return 0;
  return call.end === 'broken' ? reservationOf(call) : call.microUsd;
}

function reservationOf({
  inputTokens,
  maxOutputTokens,
  model,
}: Omit<ProviderCall, 'end' | 'microUsd' | 'task'>): number {
  return reservationFor(inputTokens, maxOutputTokens, modelById(model));
}

/** What each call that may have been lost adds to what is due without it; one that never came to be a call, in each size it may have had. */
function lostCharges(task: SpentTask, own: ProviderCall[], meant: ProviderLedger['counts']): number[][] {
  const answered = own
    .filter(({ end }) => end === 'answered')
    .map((call) => [reservationOf(call) - call.microUsd]);
  const done = own.filter(({ end }) => end !== 'refused').map(nameOf);
  const outputs = [
    ...new Set([...own.map(({ maxOutputTokens }) => maxOutputTokens), ...affordable(task, own)]),
  ];
  const unmade = meant.flatMap((call) => {
    const at = done.indexOf(nameOf(call));
    if (at >= 0) done.splice(at, 1);
    return at >= 0 ? [] : [outputs.map((maxOutputTokens) => reservationOf({ ...call, maxOutputTokens }))];
  });
  return [...answered, ...unmade];
}

const nameOf = ({ model, inputTokens }: ProviderLedger['counts'][number]): string =>
  `${model} ${inputTokens}`;

/** A call may set aside this share of what its task has left. */
const CALL_SHARE = 0.4;

/** Sizes of answers that an attempt may have asked for before it came to a call. */
function affordable({ attempts }: SpentTask, own: ProviderCall[]): number[] {
  const models = [...new Set(own.map(({ model }) => model))];
  return attempts.flatMap(({ meter }) =>
    models.map((model) =>
      Math.floor((meter.allowanceMicroUsd * CALL_SHARE) / modelById(model).prices.output),
    ),
  );
}

/** Every sum of at most so many, one of each. */
function sumsOf(charges: number[][], atMost: number): Set<number> {
  let sums = new Map([[0, 0]]);
  for (const sizes of charges) {
    const next = new Map(sums);
    for (const [sum, used] of sums) {
      if (used === atMost) continue;
      for (const size of sizes) next.set(sum + size, Math.min(used + 1, next.get(sum + size) ?? atMost));
    }
    sums = next;
  }
  return new Set(sums.keys());
}
