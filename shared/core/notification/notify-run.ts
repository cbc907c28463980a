import type { CiView } from '../../messages/run-view.ts';
import { change } from '../change.ts';
import type { CheckRunUpdate, CodeHost } from '../../ports/code-host.ts';
import { marker } from '../integration/pull-request-body.ts';
import { exclusively, performEffect } from '../perform-effect.ts';
import type { Ports } from '../ports.ts';
import { publicText } from '../public-text.ts';
import { refs } from '../refs.ts';
import { isTerminal, type Run, type Target } from '../run.ts';
import { readTasks } from '../run-tasks.ts';
import { awaitedDecisions } from '../decisions/read-decisions.ts';
import { ciText, ciView } from '../views/ci-view.ts';
import { postReminders } from './post-reminders.ts';
import { progressComment } from './progress-comment.ts';

type NotifyPorts = Pick<Ports, 'store' | 'clock' | 'ids' | 'codeHost' | 'policy'>;

/**
 * Brings the one comment on the issue and the check runs on our commits to what the records say now.
 * One process at a time for a run, so that an older view never overwrites a newer one.
 */
export async function notifyRun(ports: NotifyPorts, tenant: string, runId: string): Promise<void> {
  await exclusively(ports, { tenant, run: runId, id: 'notify' }, async () => {
    const run = (await ports.store.get(refs.run(tenant, runId)))?.data;
    const [target] = run?.targets ?? [];
    if (run === undefined || target === undefined) return;
    const host = ports.codeHost(target);
    if (!host.hasPullRequests) return;
    await bringComment(ports, host, run, target);
    await bringCheckRuns(ports, host, run, target);
    if (isTerminal(run.stage)) await settled(ports, run);
  });
}

async function bringComment(ports: NotifyPorts, host: CodeHost, run: Run, target: Target): Promise<void> {
  const issue = run.origin.issue?.number;
  if (issue === undefined) return;
  const tasks = await readTasks(ports.store, run.tenant, run.id);
  const decisions = await awaitedDecisions(ports.store, run, tasks);
  const body = progressComment(run, tasks, { publicUrl: ports.policy.publicUrl, decisions });
  const look = async () => {
    const found = await host.findComment(target, issue, marker(run));
    return found === undefined ? undefined : { id: found.id };
  };
  const act = async () => ({ id: (await host.createComment(target, issue, body)).id });
  const effect = { tenant: run.tenant, run: run.id, id: 'comment' };
  const result = await performEffect(ports, effect, { look, act });
  await host.updateComment(target, Number(result['id']), body);
  await postReminders(ports, { host, target, issue }, { run, decisions });
}

/** One check run per commit of ours; those of older commits are settled as superseded. */
async function bringCheckRuns(ports: NotifyPorts, host: CodeHost, run: Run, target: Target): Promise<void> {
  for (const [index, headSha] of run.heads.entries()) {
    const check = checkRun(run, headSha, index < run.heads.length - 1, ports.policy.publicUrl);
    const look = async () => {
      const found = await host.findCheckRun(target, headSha, check.externalId);
      return found === undefined ? undefined : { id: found.id };
    };
    const act = async () => ({ id: (await host.createCheckRun(target, check)).id });
    const effect = { tenant: run.tenant, run: run.id, id: `check-${headSha}` };
    const result = await performEffect(ports, effect, { look, act });
    await host.updateCheckRun(target, Number(result['id']), check);
  }
}

function checkRun(run: Run, headSha: string, superseded: boolean, publicUrl: string): CheckRunUpdate {
  const ci = ciView(run);
  const standing = `Run ${run.id} is ${run.stage.replace('_', ' ')}.`;
  const base = {
    name: 'Penstock',
    headSha,
    externalId: `penstock:${run.id}`,
    detailsUrl: `${publicUrl}/runs/${run.id}`,
    summary: publicText(run.reason?.message ?? (ci === undefined ? standing : `${standing} ${ciText(ci)}`)),
  };
  if (superseded)
    return { ...base, status: 'completed', conclusion: 'neutral', title: 'Superseded by a newer commit' };
  switch (run.stage) {
    case 'succeeded':
      return {
        ...base,
        status: 'completed',
        conclusion: 'success',
        title: 'Integrated, checked and reviewed',
      };
    case 'failed':
      return {
        ...base,
        status: 'completed',
        conclusion: 'failure',
        title: `Failed: ${run.reason?.code ?? 'unknown'}`,
      };
    case 'cancelled':
      return { ...base, status: 'completed', conclusion: 'cancelled', title: 'Cancelled' };
    default:
      return { ...base, status: 'in_progress', title: inProgress(run, ci) };
  }
}

function inProgress({ stage }: Run, ci: CiView | undefined): string {
  if (stage === 'awaiting_review' && ci !== undefined) return 'Waiting for CI';
  return `In progress: ${stage.replace('_', ' ')}`;
}

async function settled(ports: NotifyPorts, run: Run): Promise<void> {
  await change(ports.store, refs.run(run.tenant, run.id), (current) =>
    current.unsettledOutside ? { data: { ...current, unsettledOutside: false } } : undefined,
  );
}
