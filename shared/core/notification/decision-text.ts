import type { Decision } from '../decisions/decision.ts';

/** A question as a comment shows it: what is asked, how it is answered, and what happens otherwise. */
export function decisionText({ id, question, options, safeOption, deadline }: Decision): string {
  const answers = options.map(({ id: option, label, needs }) => {
    const amount = needs === 'budgetUsd' ? ' --budget USD' : '';
    return `- \`npx penstock decide ${id} ${option}${amount}\` – ${label}`;
  });
  const comments = options.map(
    ({ id: option }, index) => `\`/penstock ${verbOf(option, index, safeOption)} ${id}\``,
  );
  const by = new Date(deadline).toISOString().slice(0, 16).replace('T', ' ');
  const parts = [
    `**Decision \`${id}\`.** ${question}`,
    answers.join('\n'),
    `Or comment, if you may write to the repository: ${comments.join(' or ')}.`,
    `Without an answer by ${by} UTC \`${safeOption}\` is taken.`,
  ];
  return parts.join('\n\n');
}

/** As a comment names an option: the first one lets things go on. */
function verbOf(option: string, index: number, safeOption: string): string {
  if (option === safeOption) return 'reject';
  return index === 0 ? 'approve' : `option ${index + 1}`;
}
