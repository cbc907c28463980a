import type { DecisionView } from '../../messages/decision.ts';
import { type Decision, isAwaited } from '../decisions/decision.ts';
import type { Run } from '../run.ts';
import type { Task } from '../task.ts';
import { isoTime } from './iso-time.ts';

/** A decision as its readers see it: one that nothing waits for any more is void, whether that is recorded yet or not. */
export function decisionView(decision: Decision, waiting: Task | Run | undefined): DecisionView {
  const { option, budgetMicroUsd, comment, actor, endedAt } = decision;
  const isOpen = isAwaited(decision, waiting);
  return {
    id: decision.id,
    run: decision.run,
    ...(decision.task === undefined ? {} : { task: decision.task }),
    kind: decision.kind,
    question: decision.question,
    options: decision.options,
    safeOption: decision.safeOption,
    state: decision.state === 'open' && !isOpen ? 'void' : decision.state,
    ...(option === undefined ? {} : { option }),
    ...(budgetMicroUsd === undefined ? {} : { budgetMicroUsd }),
    ...(comment === undefined ? {} : { comment }),
    ...(actor === undefined ? {} : { actor }),
    createdAt: isoTime(decision.createdAt),
    deadline: isoTime(decision.deadline),
    ...(endedAt === undefined ? {} : { endedAt: isoTime(endedAt) }),
  };
}
