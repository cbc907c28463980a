import type { PlanProposal } from '../../messages/plan.ts';
import { PenstockError } from '../../ports/penstock-error.ts';
import { change } from '../change.ts';
import { failRun } from '../fail-run.ts';
import { storePlan } from '../plan/stored-plan.ts';
import { validatePlan } from '../plan/validate-plan.ts';
import type { Ports } from '../ports.ts';
import { refs } from '../refs.ts';
import type { Run } from '../run.ts';
import { type DriverClaim, requireClaimed } from './claim-run.ts';

/**
 * A workflow that says who does what gives its plan before it asks for the first stage; the platform plans nothing then. A run that
 * came with a plan, or has begun, keeps what it has. A plan that cannot be executed ends the run with every reason.
 */
export async function givePlan(ports: Ports, claim: DriverClaim, plan: PlanProposal): Promise<Run> {
  const ref = refs.run(claim.tenant, claim.run);
  const found = await ports.store.get(ref);
  if (found === undefined) throw new PenstockError('not_found', `there is no run ${claim.run}`);
  const run = found.data;
  requireClaimed(run, claim.execution);
  if (!takesPlan(run)) return run;
  const verdict = validatePlan(plan, ports.agents, ports.policy);
  if (!verdict.ok) {
    const message = `the plan of workflow ${run.driver} cannot be executed: ${verdict.reasons.join('; ')}`;
    await failRun(ports, run, { code: 'invalid_plan', message: message.slice(0, 4_000) });
    return (await ports.store.get(ref))?.data ?? run;
  }
  const stored = { summary: `given by workflow ${run.driver}`, tasks: verdict.tasks, filesRead: 0 };
  const givenPlan = await storePlan(ports, run, stored);
  const { data } = await change(ports.store, ref, (current) =>
    takesPlan(current) ? { data: { ...current, givenPlan } } : undefined,
  );
  return data;
}

function takesPlan({ stage, givenPlan }: Run): boolean {
  return stage === 'accepted' && givenPlan === undefined;
}
