import { fence } from '../agents/fence.ts';
import type { Run } from '../run.ts';
import type { Task } from '../task.ts';
import type { IntegrationStep } from './decide-integration.ts';

const MAX_CHARS = 20_000;
/** Leaves room for the task itself, also when fencing makes half as much again of it. */
const MAX_FOUND_CHARS = 12_000;
const TASK_HEADING = 'The task as it was given:\n';

const WHY = {
  conflict:
    'The change set of this task conflicts with others that are already in the workspace. Make the same change again so that it fits them.',
  checks_red:
    'After the change set of this task was applied together with the others, the checks failed. Everything is in the workspace; mend it.',
  review: 'The reviewer of the pull request asks for changes. Everything is in the workspace; make them.',
};
/** What was found is the words of files, of programs that run the repository's code, or of another model: data, whoever told it. */
const FOUND = { conflict: 'conflict', checks_red: 'check-output', review: 'review' };

/** What the agent of a fix is told: why there is one, what was found, and the task as its owner was given it. */
export function fixInstructions(
  run: Run,
  owner: Task | undefined,
  { cause, detail }: Extract<IntegrationStep, { step: 'fix' }>,
): string {
  // After publication it is the words of whoever checks commits there.
  const isCi = cause === 'checks_red' && run.stage === 'awaiting_review';
  const found = fence(isCi ? 'ci' : FOUND[cause], detail.slice(0, MAX_FOUND_CHARS));
  return `${WHY[cause]}\n\n${found}\n\n${TASK_HEADING}${givenTask(owner)}`.slice(0, MAX_CHARS);
}

/** A fix of a fix is about the same task; what the former one was told besides is over, and a fence cut in two would be open. */
function givenTask(owner: Task | undefined): string {
  const instructions = owner?.instructions ?? '';
  if (owner?.kind !== 'fix') return instructions;
  return instructions.split(TASK_HEADING).at(-1) ?? instructions;
}
