import type { ChangeSet } from '../../messages/change-set.ts';
import type { FileChange } from '../../ports/code-host.ts';
import { PenstockError } from '../../ports/penstock-error.ts';
import { readBundle } from '../create-attempt.ts';
import type { Ask } from '../decisions/decision.ts';
import { askRiskyChange, isChangeApproved } from '../decisions/risky-change.ts';
import { performEffect } from '../perform-effect.ts';
import { publicText } from '../public-text.ts';
import { protectedPaths } from '../repository/protected-paths.ts';
import { scanSecrets } from '../repository/scan-secrets.ts';
import type { EndReason, Run, Target } from '../run.ts';
import type { Task } from '../task.ts';
import type { IntegrationPorts } from './integration-ports.ts';
import { openPullRequest } from './publish-pull-request.ts';
import { checksText } from './pull-request-body.ts';

type Published = Pick<Run, 'heads' | 'diffStat' | 'pullRequest'>;
type Bundle = { changeSet: ChangeSet; contents: Map<string, Uint8Array> };

/** Checks the integrated change set, then writes commit, branch and draft pull request. Never executes anything of the repository. */
export async function publishChangeSet(
  ports: IntegrationPorts,
  run: Run,
  tasks: Task[],
  integration: Task,
): Promise<{ ok: true; facts: Published } | { ok: false; reason: EndReason; ask?: Ask }> {
  const [target] = run.targets;
  if (target?.baseSha === undefined)
    throw new PenstockError('internal', `run ${run.id} integrates without a base`);
  const bundle = await loadBundle(ports, integration);
  const reason = secretsIn(bundle);
  if (reason !== undefined) return { ok: false, reason };
  const risk = riskOf(run, integration, bundle);
  if (risk !== undefined) return { ok: false, ...risk };
  const sha = await writeCommit(ports, {
    run,
    target,
    integration,
    bundle,
    previous: await previousBundle(ports, run, tasks),
  });
  const heads = run.heads.at(-1) === sha ? run.heads : [...run.heads, sha];
  const { entries, added, deleted } = bundle.changeSet;
  const facts = { heads, diffStat: { files: entries.length, added, deleted } };
  const pullRequest = await openPullRequest(ports, { ...run, ...facts }, tasks, integration);
  return { ok: true, facts: { ...facts, ...(pullRequest === undefined ? {} : { pullRequest }) } };
}

async function loadBundle(ports: Pick<IntegrationPorts, 'blobs'>, task: Task): Promise<Bundle> {
  const key = task.result?.changeSet?.key;
  const bytes = key === undefined ? undefined : await ports.blobs.get(key);
  if (bytes === undefined)
    throw new PenstockError(
      'not_found',
      `the change set of ${task.id} in run ${task.run} is gone; retry the run`,
    );
  return readBundle(bytes);
}

/** What the branch shows now, when this is not the first round. */
async function previousBundle(
  ports: Pick<IntegrationPorts, 'blobs'>,
  run: Run,
  tasks: Task[],
): Promise<Bundle | undefined> {
  if (run.heads.length === 0) return undefined;
  const shown = tasks
    .filter(
      (task) => task.kind === 'integrate' && task.settled && task.id !== `integrate-${run.integrations}`,
    )
    .toSorted((a, b) => a.createdAt - b.createdAt)
    .at(-1);
  return shown === undefined ? undefined : loadBundle(ports, shown);
}

/** Files that steer CI and permissions are not committed without a person: unless one has approved them, what to ask one. */
function riskOf(
  run: Run,
  { result }: Task,
  { changeSet, contents }: Bundle,
): { reason: EndReason; ask: Ask } | undefined {
  const change = result?.changeSet;
  const risky = protectedPaths(changeSet, contents);
  if (change === undefined || risky.length === 0 || isChangeApproved(run, change)) return undefined;
  const message = `the change touches ${risky.map(({ path }) => path).join(', ')}, which only a person may change; nothing was written`;
  return { reason: { code: 'risky_change', message }, ask: askRiskyChange(run, change, risky) };
}

/** What looks like a secret is never committed, whoever would approve it. */
function secretsIn({ changeSet, contents }: Bundle): EndReason | undefined {
  const findings = changeSet.entries.flatMap(({ path, blob }) =>
    blob === null ? [] : scanSecrets(path, new TextDecoder().decode(contents.get(blob))),
  );
  if (findings.length === 0) return undefined;
  const where = findings.slice(0, 10).map(({ kind, path, line }) => `${kind} in ${path}:${line}`);
  return {
    code: 'secret_found',
    message: `the change contains what looks like a secret (${where.join(', ')}); nothing was written`,
  };
}

interface CommitWork {
  run: Run;
  target: Target;
  integration: Task;
  bundle: Bundle;
  previous: Bundle | undefined;
}

/** One commit per round, known by its trailer on the branch head. */
async function writeCommit(ports: IntegrationPorts, work: CommitWork): Promise<string> {
  const { run, target, integration } = work;
  const host = ports.codeHost(target);
  const trailer = `Penstock-Change: ${run.id}/${integration.id}`;
  const look = async () => {
    const head = await host.readBranch(target, target.headBranch);
    const commit = head === undefined ? undefined : await host.readCommit(target, head);
    return commit?.message.trimEnd().endsWith(trailer) === true ? { sha: commit.sha } : undefined;
  };
  const act = async () => {
    const parent = run.heads.at(-1) ?? target.baseSha ?? '';
    const message = `${commitText(run, integration)}\n\n${trailer}\n`;
    const sha = await host.writeCommit(target, { parent, message, changes: changesOf(work) });
    const moved =
      run.heads.length === 0
        ? await host.createBranch(target, target.headBranch, sha)
        : await host.advanceBranch(target, target.headBranch, sha);
    if (moved === 'created' || moved === 'advanced') return { sha };
    // Whoever took over an effect that lasted too long may have been quicker with the same commit.
    const standing = await look();
    if (standing !== undefined) return standing;
    const problem = `branch ${target.headBranch} of ${target.repository} was changed by somebody else; delete it or take over by hand`;
    throw new PenstockError('conflict', problem);
  };
  const result = await performEffect(
    ports,
    { tenant: run.tenant, run: run.id, id: `commit-${integration.id}` },
    { look, act },
  );
  return String(result['sha']);
}

/** A branch without a pull request has no other place that says what was checked. Like every text that we post, it closes no issue. */
function commitText(run: Run, integration: Task): string {
  const text = [
    run.title,
    `Requirement of run ${run.id}, integrated from ${run.changeOrder.join(', ')}.`,
    `Checks on the integrated change:\n${checksText(integration.result?.checks ?? [])}`,
  ].join('\n\n');
  return publicText(text);
}

/** Files as they are to be, relative to what the branch shows now: what a former round changed and this one does not goes back. */
function changesOf({ bundle, previous }: CommitWork): FileChange[] {
  const wanted = new Set(bundle.changeSet.entries.map(({ path }) => path));
  const reverted = (previous?.changeSet.entries ?? [])
    .filter(({ path }) => !wanted.has(path))
    .map(({ path, before }) =>
      fileChange(path, before?.mode ?? null, previous?.contents.get(before?.blob ?? '')),
    );
  const gone = new Set(
    (previous?.changeSet.entries ?? []).filter(({ mode }) => mode === null).map(({ path }) => path),
  );
  const changed = bundle.changeSet.entries
    // What the branch no longer has cannot be deleted again.
    .filter(({ path, mode }) => mode !== null || !gone.has(path))
    .map(({ path, mode, blob }) => fileChange(path, mode, bundle.contents.get(blob ?? '')));
  return [...changed, ...reverted];
}

function fileChange(
  path: string,
  mode: FileChange['mode'] | null,
  content: Uint8Array | undefined,
): FileChange {
  return { path, mode: mode ?? '100644', ...(mode === null || content === undefined ? {} : { content }) };
}
