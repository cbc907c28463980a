import type { Policy } from '../ports.ts';
import type { EndReason, Run } from '../run.ts';
import { failureOf } from '../settle-run.ts';
import type { Task } from '../task.ts';
import { judgeCi } from './judge-ci.ts';
import type { CiReading } from './read-ci.ts';

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
  /** `until`: when it is looked again, should nobody say anything before. */
  | { step: 'await_ci'; until?: number }
  | { step: 'finish' }
  | { step: 'fail'; reason: EndReason };

/** What a step depends on beside the records. */
export interface Circumstances {
  policy: Pick<Policy, 'maxFixRounds' | 'ciGraceMs' | 'ciDeadlineMs'>;
  /** Of the newest head; `undefined` where nobody was asked. */
  ci: CiReading | undefined;
}

/** Pure: the run, its tasks and what CI says in, the next step out. */
export function decideIntegration(
  run: Run,
  tasks: readonly Task[],
  circumstances: Circumstances,
): IntegrationStep {
  if (run.stage !== 'integrating' && run.stage !== 'awaiting_review') return { step: 'wait', tasks: [] };
  const live = tasks.filter((task) => task.live);
  if (live.length > 0) return { step: 'wait', tasks: live };
  const byId = new Map(tasks.map((task) => [task.id, task]));
  return run.stage === 'integrating'
    ? afterIntegration(run, byId, circumstances.policy.maxFixRounds)
    : afterReview(run, byId, circumstances);
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

function afterReview(
  run: Run,
  byId: ReadonlyMap<string, Task>,
  { policy, ci }: Circumstances,
): IntegrationStep {
  const names = run.reviews.map(({ id }) => (run.integrations === 1 ? id : `${id}-${run.integrations}`));
  const reviews = names.flatMap((name) => byId.get(name) ?? []);
  if (reviews.length < names.length) {
    const message = `a review of run ${run.id} is gone; submit the requirement again`;
    return { step: 'fail', reason: { code: 'not_found', message } };
  }
  const broken = reviews.find((review) => review.result?.review === undefined);
  if (broken !== undefined) return { step: 'fail', reason: failureOf(broken) };
  const judged = judgeCi(run, ci, policy);
  if (judged.verdict === 'late') return { step: 'fail', reason: judged.reason };
  if (judged.verdict === 'wait')
    return { step: 'await_ci', ...(judged.until === undefined ? {} : { until: judged.until }) };
  const rejected = reviews.filter((review) => review.result?.review?.verdict === 'request_changes');
  const remarks = rejected.map(remarksOf);
  if (judged.verdict === 'red')
    return fixOnTop(run, 'checks_red', [judged.detail, ...remarks], policy.maxFixRounds);
  if (rejected.length === 0) return { step: 'finish' };
  return fixOnTop(run, 'review', remarks, policy.maxFixRounds);
}

/** What turned out after publication is mended on top of everything. */
function fixOnTop(
  run: Run,
  cause: 'checks_red' | 'review',
  remarks: string[],
  maxFixRounds: number,
): IntegrationStep {
  const detail = remarks.join('\n\n');
  if (run.fixRounds >= maxFixRounds)
    return tooManyRounds(run, detail, cause === 'review' ? 'review_rejected' : cause);
  const owner = run.changeOrder.at(-1) ?? '';
  return {
    step: 'fix',
    owner,
    cause,
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
