import type { ProtectedPath } from '../repository/protected-paths.ts';
import type { Run } from '../run.ts';
import { contentHashOf } from './content-hash.ts';
import type { Ask } from './decision.ts';

/** More are counted, not named. */
const MAX_NAMED = 10;

/** Asks whether a change of files that steer CI and permissions may be written. The answer binds to exactly this change on this base. */
export function askRiskyChange(run: Run, change: { sha256: string }, paths: readonly ProtectedPath[]): Ask {
  const named = paths.slice(0, MAX_NAMED).map(({ path, reason }) => `${path} (${reason})`);
  const more = paths.length > MAX_NAMED ? ` and ${paths.length - MAX_NAMED} more` : '';
  return {
    kind: 'risky_change',
    question:
      `The change of run ${run.id} touches ${named.join(', ')}${more}, which runs with the repository's own rights. ` +
      `Read it with 'penstock show ${run.id}'. May it be written to ${run.targets[0]?.headBranch ?? 'its branch'}?`,
    options: [
      { id: 'approve', label: 'Write it: commit, branch and draft pull request' },
      { id: 'reject', label: 'End the run; nothing is written' },
    ],
    safeOption: 'reject',
    contentHash: changeContentOf(run, change),
  };
}

/** Whether a person has approved exactly this change. */
export function isChangeApproved(run: Run, change: { sha256: string }): boolean {
  return run.approvals?.includes(changeContentOf(run, change)) === true;
}

function changeContentOf({ id, heads, targets }: Run, { sha256 }: { sha256: string }): string {
  return contentHashOf(['risky_change', id, sha256, heads.at(-1) ?? '', targets[0]?.baseSha ?? '']);
}
