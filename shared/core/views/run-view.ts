import type { HistoryView, RunView } from '../../messages/run-view.ts';
import { parseTraceparent } from '../../ports/traceparent.ts';
import type { HistoryEntry } from '../history.ts';
import type { Run } from '../run.ts';
import { ciView } from './ci-view.ts';
import { isoTime } from './iso-time.ts';

/** A run as its readers see it: no key of a blob, no installation, no hash of its own chain. */
export function runView(run: Run): RunView {
  const { plan, reason, origin, diffStat, pullRequest, endedAt } = run;
  const ci = ciView(run);
  return {
    id: run.id,
    title: run.title,
    requirement: run.requirement,
    stage: run.stage,
    paused: run.paused,
    ...(run.forkedFrom === undefined ? {} : { forkedFrom: run.forkedFrom }),
    ...(reason === undefined ? {} : { reason }),
    ...targetView(run),
    origin: {
      kind: origin.kind,
      actor: origin.actor,
      ...(origin.issue === undefined ? {} : { issue: origin.issue }),
    },
    ...(run.project === undefined ? {} : { project: run.project }),
    driver: run.driver,
    priority: run.priority,
    dryRun: run.dryRun,
    budgetMicroUsd: run.budget.limitMicroUsd,
    ...(plan === undefined ? {} : { plan: planFacts(plan) }),
    checksFrom: run.contract?.reasons ?? [],
    ...(diffStat === undefined ? {} : { diffStat }),
    ...(pullRequest === undefined ? {} : { pullRequest }),
    ...(ci === undefined ? {} : { ci }),
    ...traceView(run),
    createdAt: isoTime(run.createdAt),
    updatedAt: isoTime(run.updatedAt),
    ...(endedAt === undefined ? {} : { endedAt: isoTime(endedAt) }),
    history: historyView(run.history),
  };
}

export function historyView(history: readonly HistoryEntry[]): HistoryView[] {
  return history.map(({ seq, at, state, by, note }) => ({
    seq,
    at: isoTime(at),
    state,
    by,
    ...(note === undefined ? {} : { note }),
  }));
}

function traceView({ traceparent }: Run): Pick<RunView, 'trace'> {
  const context = parseTraceparent(traceparent);
  return context === undefined ? {} : { trace: context.traceId };
}

function targetView(run: Run): Partial<RunView> {
  const [target] = run.targets;
  if (target === undefined) return {};
  const headSha = run.heads.at(-1);
  return {
    repository: target.repository,
    headBranch: target.headBranch,
    ...(target.baseRef === undefined ? {} : { baseRef: target.baseRef }),
    ...(target.baseSha === undefined ? {} : { baseSha: target.baseSha }),
    ...(headSha === undefined ? {} : { headSha }),
  };
}

function planFacts({
  hash,
  summary,
  tasks,
  parallel,
  estimateMicroUsd,
  filesRead,
}: NonNullable<Run['plan']>) {
  return { hash, summary, tasks, parallel, estimateMicroUsd, filesRead };
}
