import { runId } from '../../messages/identifiers.ts';
import { type Ports, publish } from '../ports.ts';
import { refs } from '../refs.ts';
import { BRANCH_PREFIX, type Run } from '../run.ts';
import type { JudgedCommit } from './decide-webhook.ts';

/** A commit is the head of few branches of ours. */
const MAX_RUNS = 10;

/**
 * Has the runs look again whose newest head somebody has judged; a branch tells its run. It only tells where to look: what is
 * not found here, and a message that is lost, is the sweep's.
 */
export async function wakeJudgedRuns(
  ports: Pick<Ports, 'store' | 'queue' | 'trace'>,
  tenant: string,
  commit: JudgedCommit,
): Promise<void> {
  const ids = commit.branches
    .filter((branch) => branch.startsWith(BRANCH_PREFIX))
    .map((branch) => branch.slice(BRANCH_PREFIX.length))
    .filter((id) => runId.safeParse(id).success)
    .slice(0, MAX_RUNS);
  if (ids.length === 0) return;
  const found = await ports.store.getMany(ids.map((id) => refs.run(tenant, id)));
  for (const run of found) {
    if (run !== undefined && awaits(run.data, commit))
      await publish(ports, 'run-finished', { v: 1, tenant, run: run.data.id }, run.data);
  }
}

function awaits(run: Run, { repository, sha }: JudgedCommit): boolean {
  const [target] = run.targets;
  return (
    run.stage === 'awaiting_review' &&
    run.heads.at(-1) === sha &&
    target?.host === 'github' &&
    target.repository.toLowerCase() === repository.toLowerCase()
  );
}
