import { fence } from '../agents/fence.ts';
import type { Run } from '../run.ts';
import type { Task } from '../task.ts';
import type { IntegrationStep } from './decide-integration.ts';

const MAX_CHARS = 20_000;
/** Leaves room for the task itself. */
const MAX_CI_CHARS = 15_000;

/** What the agent of a fix is told: why there is one, what was found, and the task as its owner was given it. */
export function fixInstructions(
  run: Run,
  owner: Task | undefined,
  { cause, detail }: Extract<IntegrationStep, { step: 'fix' }>,
): string {
  const why = {
    conflict:
      'The change set of this task conflicts with others that are already in the workspace. Make the same change again so that it fits them.',
    checks_red:
      'After the change set of this task was applied together with the others, the checks failed. Everything is in the workspace; mend it.',
    review: 'The reviewer of the pull request asks for changes. Everything is in the workspace; make them.',
  }[cause];
  // After publication it is the words of whoever checks commits there.
  const isCi = cause === 'checks_red' && run.stage === 'awaiting_review';
  const found = isCi ? fence('ci', detail.slice(0, MAX_CI_CHARS)) : detail;
  const text = `${why}\n\n${found}\n\nThe task as it was given:\n${owner?.instructions ?? ''}`;
  return text.slice(0, MAX_CHARS);
}
