import type { EndReason, Run } from '../run.ts';
import { failureOf } from '../settle-run.ts';
import type { Task } from '../task.ts';

/** What a run needs next on its way to a reviewed pull request. */
export type IntegrationStep =
  | { step: 'wait'; tasks: Task[] }
  | { step: 'integrate' }
  | {
      step: 'fix';
      owner: string;
      cause: 'conflict' | 'checks_red' | 'review';
      detail: string;
      /** Change sets in the workspace of the fix. */
      inputs: string[];
      /** The new order of change sets; `FIX` is the one to come. */
      order: string[];
    }
  | { step: 'publish'; integration: Task }
  | { step: 'finish' }
  | { step: 'fail'; reason: EndReason };

/** Pure: the run and its tasks in, the next step out. */
export function decideIntegration(run: Run, tasks: readonly Task[], maxFixRounds: number): IntegrationStep {
  if (run.stage !== 'integrating' && run.stage !== 'awaiting_review') return { step: 'wait', tasks: [] };
  const live = tasks.filter((task) => task.live);
  if (live.length > 0) return { step: 'wait', tasks: live };
  const byId = new Map(tasks.map((task) => [task.id, task]));
  return run.stage === 'integrating'
    ? afterIntegration(run, byId, maxFixRounds)
    : afterReview(run, byId, maxFixRounds);
}

function afterIntegration(run: Run, byId: ReadonlyMap<string, Task>, maxFixRounds: number): IntegrationStep {
  const fix = byId.get(`fix-${run.fixRounds}`);
  if (fix !== undefined && !fix.settled) return { step: 'fail', reason: failureOf(fix) };
  const integration = byId.get(`integrate-${run.integrations}`);
  // Each round of fixing is followed by one of integration.
  if (integration === undefined || run.integrations <= run.fixRounds) return { step: 'integrate' };
  if (integration.settled) return { step: 'publish', integration };
  const exit = integration.attempts.at(-1)?.exit;
  const owner = exit?.task;
  if (
    owner === undefined ||
    !run.changeOrder.includes(owner) ||
    (exit?.code !== 'conflict' && exit?.code !== 'checks_red')
  ) {
    return { step: 'fail', reason: failureOf(integration) };
  }
  if (run.fixRounds >= maxFixRounds) return tooManyRounds(run, exit.message ?? '');
  const at = run.changeOrder.indexOf(owner);
  const before = run.changeOrder.slice(0, at);
  const after = run.changeOrder.slice(at + 1);
  const common = { step: 'fix' as const, owner, detail: exit.message ?? '' };
  return exit.code === 'conflict'
    ? { ...common, cause: 'conflict', inputs: before, order: [...before, 'FIX', ...after] }
    : {
        ...common,
        cause: 'checks_red',
        inputs: [...before, owner],
        order: [...before, owner, 'FIX', ...after],
      };
}

function afterReview(run: Run, byId: ReadonlyMap<string, Task>, maxFixRounds: number): IntegrationStep {
  const names = run.reviews.map(({ id }) => (run.integrations === 1 ? id : `${id}-${run.integrations}`));
  const reviews = names.flatMap((name) => byId.get(name) ?? []);
  if (reviews.length < names.length) {
    const message = `a review of run ${run.id} is gone; submit the requirement again`;
    return { step: 'fail', reason: { code: 'not_found', message } };
  }
  const broken = reviews.find((review) => review.result?.review === undefined);
  if (broken !== undefined) return { step: 'fail', reason: failureOf(broken) };
  const rejected = reviews.filter((review) => review.result?.review?.verdict === 'request_changes');
  if (rejected.length === 0) return { step: 'finish' };
  const detail = rejected.map(remarksOf).join('\n\n');
  if (run.fixRounds >= maxFixRounds) return tooManyRounds(run, detail, 'review_rejected');
  const owner = run.changeOrder.at(-1) ?? '';
  return {
    step: 'fix',
    owner,
    cause: 'review',
    detail,
    inputs: run.changeOrder,
    order: [...run.changeOrder, 'FIX'],
  };
}

function remarksOf(review: Task): string {
  const verdict = review.result?.review;
  const remarks = (verdict?.remarks ?? []).map(
    ({ path, text }) => `- ${path === null ? '' : `${path}: `}${text}`,
  );
  return [verdict?.summary ?? '', ...remarks].join('\n');
}

function tooManyRounds(run: Run, detail: string, code = 'not_integrated'): IntegrationStep {
  const message = `after ${run.fixRounds} rounds of fixing it is still not right: ${detail}`.slice(0, 2_000);
  return { step: 'fail', reason: { code, message } };
}
