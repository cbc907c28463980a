import type { DecisionDueView, DriverView } from '../../messages/driver.ts';
import type { Decision } from '../decisions/decision.ts';
import { isTerminal, type Run } from '../run.ts';

/** A run as its workflow reads it after each wake: where it stands, whatever the callback said. */
export function driverView(run: Run): DriverView {
  const { id, stage, stageRequest: request, decision, reason, fixRounds } = run;
  return {
    run: id,
    stage,
    ended: isTerminal(stage),
    paused: run.paused,
    asked: request?.stage ?? null,
    over: isTerminal(stage) || (request !== undefined && request.state !== 'asked'),
    sequence: (request?.seq ?? 0) + 1,
    decision: decision ?? null,
    fixRounds,
    head: run.heads.at(-1) ?? null,
    reason: reason?.code ?? null,
    flags: { ...run.plan?.flags, ...run.flags },
  };
}

/** A decision as a workflow that keeps its time reads it. */
export function decisionDueView({ id, run, state, option, dueAt }: Decision, now: number): DecisionDueView {
  const seconds = Math.max(1, Math.ceil((dueAt - now) / 1_000));
  return { decision: id, run, state, option: option ?? null, due_in_seconds: seconds };
}
