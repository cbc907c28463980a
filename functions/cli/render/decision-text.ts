import type { DecisionView } from '../../../shared/messages/decision.ts';
import { oneLine, usd } from './wording.ts';

const MAX_QUESTION_CHARS = 400;
const MAX_LABEL_CHARS = 200;

/** A question with a command for each way to answer it, or what came of it. */
export function decisionText(decision: DecisionView): string[] {
  const { id, run, task, question, state } = decision;
  return [
    `decision ${id}   run ${run}${task === undefined ? '' : `, task ${task}`}   ${state}`,
    `  ${oneLine(question, MAX_QUESTION_CHARS)}`,
    ...(state === 'open' ? waysOut(decision) : [`  ${outcomeText(decision)}`]),
  ];
}

function waysOut({ id, options, safeOption, deadline }: DecisionView): string[] {
  const commands = options.map(({ id: option, label, needs }) => {
    const amount = needs === 'budgetUsd' ? ' [--budget USD]' : '';
    return `  npx penstock decide ${id} ${`${option}${amount}`.padEnd(22)}  ${oneLine(label, MAX_LABEL_CHARS)}`;
  });
  const by = `${deadline.slice(0, 16).replace('T', ' ')} UTC`;
  return [...commands, `  without an answer by ${by}: ${safeOption}`];
}

/** What was answered, by whom. */
export function outcomeText({ state, option, actor, budgetMicroUsd, comment }: DecisionView): string {
  if (option === undefined) return state === 'void' ? 'what it asked about has changed' : state;
  const total = budgetMicroUsd === undefined ? '' : ` to ${usd(budgetMicroUsd)}`;
  const why = comment === undefined ? '' : `: ${oneLine(comment, MAX_LABEL_CHARS)}`;
  return `${option}${total}, by ${oneLine(actor ?? 'nobody', 80)}${why}`;
}
