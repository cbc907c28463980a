import { readBundle } from '../../shared/core/create-attempt.ts';
import type { ChangeSetWithContents } from '../../shared/adapters/workspace/collect-change-set.ts';
import type { Attempt } from '../../shared/ports/attempt.ts';
import { PenstockError } from '../../shared/ports/penstock-error.ts';
import { messageOf } from '../../shared/core/work/attempt-failures.ts';

export interface InputBundle extends ChangeSetWithContents {
  task: string;
}

/** The change sets of earlier tasks, in the order of application. Throws `invalid` naming the task whose bundle cannot be used. */
export async function fetchInputs(attempt: Attempt): Promise<InputBundle[]> {
  const bundles: InputBundle[] = [];
  for (const { task, url } of attempt.brief.inputs) {
    const bytes = await attempt.fetch(url);
    bundles.push({ task, ...readInput(task, bytes) });
  }
  return bundles;
}

function readInput(task: string, bytes: Uint8Array): ChangeSetWithContents {
  try {
    return readBundle(bytes);
  } catch (error) {
    const options = { cause: error, reasons: error instanceof PenstockError ? error.reasons : [] };
    throw new PenstockError(
      'invalid',
      `The change set of task ${task} cannot be used: ${messageOf(error)}`,
      options,
    );
  }
}
