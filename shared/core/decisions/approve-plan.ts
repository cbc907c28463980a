import type { Run } from '../run.ts';
import type { Settings } from '../settings.ts';
import { usd } from '../usd.ts';
import { contentHashOf } from './content-hash.ts';
import type { Ask } from './decision.ts';

/**
 * Asks whether a plan is to be executed, where its tenant wants to be asked of every one, or it is beyond what is approved in
 * advance. A caller's own plan is approved by the caller.
 */
export function askPlanApproval(settings: Settings, run: Run): Ask | undefined {
  const { plan } = run;
  if (plan === undefined || run.givenPlan !== undefined) return undefined;
  const { autoApproveMicroUsd, autoApproveTasks } = settings;
  const isSmall = plan.tasks <= autoApproveTasks && plan.estimateMicroUsd <= autoApproveMicroUsd;
  if (settings.decisions.approve_plan === 'auto' && isSmall) return undefined;
  const why = isSmall
    ? 'every plan is asked about here'
    : `${autoApproveTasks} tasks and ${usd(autoApproveMicroUsd)} are approved in advance`;
  return {
    kind: 'approve_plan',
    question:
      `The plan of run ${run.id} has ${plan.tasks} tasks and is estimated at ${usd(plan.estimateMicroUsd)} of ` +
      `${usd(run.budget.limitMicroUsd)} (${why}): ${plan.summary} Read it with 'penstock plan --run ${run.id}'. Is it to be executed?`,
    options: [
      { id: 'approve', label: 'Execute the plan as it is' },
      { id: 'reject', label: 'End the run; nothing is executed' },
    ],
    safeOption: 'reject',
    contentHash: planContentOf(run),
  };
}

/** A plan is bound to by its content and the commit that it was made for. */
export function planContentOf({ id, plan, targets }: Run): string {
  return contentHashOf(['approve_plan', id, plan?.hash ?? '', ...targets.map(({ baseSha = '' }) => baseSha)]);
}

/** Whether a person has approved the plan that the run has now. */
export function isApproved(run: Run): boolean {
  return run.approvals?.includes(planContentOf(run)) === true;
}
