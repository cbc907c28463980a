import type { PlanView, RunView } from '../../../shared/messages/run-view.ts';
import { graphLine } from './graph-line.ts';
import type { TimelineLine } from './timeline-line.ts';
import { count, diffStat, oneLine, usd } from './wording.ts';

const MAX_REASON_CHARS = 300;

type Line = Omit<TimelineLine, 'atMs'>;

export function acceptedLine(run: RunView): Line {
  const { kind, actor, issue } = run.origin;
  const from = issue === undefined ? `${kind}, ${actor}` : `issue #${issue.number}, ${actor}`;
  return { kind: 'accepted', subject: 'accepted', text: oneLine(from, 34), outcome: `run ${run.id}` };
}

/** `6 tasks, 2 in parallel, est. $0.41 of $2.00   (read 14 files)`, and the graph below it. */
export function planLines(run: RunView, plan: Pick<PlanView, 'tasks'>): [Line, Line] | [] {
  if (run.plan === undefined) return [];
  const { tasks, parallel, estimateMicroUsd, filesRead } = run.plan;
  const parts = [
    count(tasks, 'task'),
    ...(parallel > 1 ? [`${parallel} in parallel`] : []),
    `est. ${usd(estimateMicroUsd)} of ${usd(run.budgetMicroUsd)}`,
  ];
  const read = filesRead > 0 ? `   (read ${count(filesRead, 'file')})` : '';
  return [
    { kind: 'plan', subject: 'plan', text: `${parts.join(', ')}${read}` },
    { kind: 'graph', subject: '', text: graphLine(plan.tasks) },
  ];
}

/** How the run ended, as far as its own record says: pull request or branch, and why not where it did not succeed. */
export function endLines(run: RunView, wasDraft: boolean): Line[] {
  const lines: Line[] = [];
  const stat = run.diffStat === undefined ? '' : diffStat(run.diffStat);
  if (run.pullRequest !== undefined) {
    const { number, ready } = run.pullRequest;
    const state = ready ? `${wasDraft ? 'draft → ' : ''}ready` : 'draft';
    lines.push({
      kind: 'pull-request',
      subject: `PR #${number}`,
      text: `${state.padEnd(18)}  ${stat}`.trimEnd(),
    });
  } else if (run.headSha !== undefined && run.headBranch !== undefined) {
    lines.push({ kind: 'branch', subject: 'branch', text: `${run.headBranch}   ${stat}`.trimEnd() });
  }
  const end = endLine(run);
  return end.text === '' && lines.length > 0 ? lines : [...lines, end];
}

function endLine(run: RunView): Line {
  const isBad = run.stage !== 'succeeded';
  const why =
    run.reason === undefined ? '' : `${run.reason.code}: ${oneLine(run.reason.message, MAX_REASON_CHARS)}`;
  const nothing = run.headSha === undefined && !run.dryRun ? 'nothing had to be changed' : '';
  return { kind: 'end', subject: run.stage, text: why === '' && !isBad ? nothing : why, isBad };
}

export function decisionLine(run: RunView): Line {
  return {
    kind: 'decision',
    subject: 'decision',
    text: oneLine(run.reason?.message ?? `the plan of run ${run.id} waits for approval`, MAX_REASON_CHARS),
    isBad: true,
  };
}
