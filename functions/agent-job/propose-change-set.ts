import type { ChangeSetWithContents } from '../../shared/adapters/workspace/collect-change-set.ts';
import { failure, messageOf } from '../../shared/core/work/attempt-failures.ts';
import {
  MAX_BUNDLE_BYTES,
  type AttemptFailure,
  type ChangeSetBundle,
} from '../../shared/messages/attempt-api.ts';
import type { Attempt } from '../../shared/ports/attempt.ts';
import { PenstockError } from '../../shared/ports/penstock-error.ts';

/** Uploads a change set with its contents and asks the platform to take it; what the platform refuses is a failure of the attempt. */
export async function proposeChangeSet(
  attempt: Attempt,
  { changeSet, contents }: ChangeSetWithContents,
): Promise<AttemptFailure | undefined> {
  const texts = [...contents].map(([sha, bytes]): [string, string] => [
    sha,
    Buffer.from(bytes).toString('base64'),
  ]);
  const bundle: ChangeSetBundle = {
    changeSet,
    contents: Object.fromEntries(texts),
  };
  const bytes = Buffer.from(JSON.stringify(bundle));
  if (bytes.length > MAX_BUNDLE_BYTES) {
    const message = `The change set has ${bytes.length} bytes with its contents; ${MAX_BUNDLE_BYTES} are allowed.`;
    return failure('rejected_change_set', message);
  }
  const { url } = await attempt.propose({ kind: 'upload', purpose: 'change-set', n: 0 });
  if (url === undefined)
    throw new PenstockError('internal', 'The platform gave no URL to upload the change set to.');
  await attempt.upload(url, bytes);
  try {
    await attempt.propose({ kind: 'change-set', n: 0 });
    return undefined;
  } catch (error) {
    const isRefused =
      error instanceof PenstockError && ['invalid', 'too_large', 'forbidden'].includes(error.code);
    if (isRefused) return failure('rejected_change_set', messageOf(error));
    throw error;
  }
}
