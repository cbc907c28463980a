import { ciText } from '../../../shared/core/views/ci-view.ts';
import type { CostView, PlanView, RunView, TaskView } from '../../../shared/messages/run-view.ts';
import { planText } from './plan-text.ts';
import { changedLines, count, diffStat, duration, oneLine, safeText, usd } from './wording.ts';

const MAX_LINE_CHARS = 160;

export interface WholeRun {
  run: RunView;
  tasks: TaskView[];
  cost: CostView;
  plan?: PlanView | undefined;
}

/** A run for a person: what was asked, what came of it and why, plan, tasks with their attempts, checks, review, cost. */
export function runText({ run, tasks, cost, plan }: WholeRun): string[] {
  return [
    `run ${run.id}   ${run.stage}${run.paused ? ', paused' : ''}   ${oneLine(run.title, 100)}`,
    ...headText(run),
    ...(plan === undefined ? [] : ['', 'Plan', ...planText(run, plan).map(indent)]),
    ...(tasks.length === 0 ? [] : ['', 'Tasks', ...tasks.toSorted(byStart).flatMap(taskText)]),
    '',
    costText(cost),
  ];
}

function headText(run: RunView): string[] {
  const base = run.baseSha === undefined ? '' : ` at ${run.baseSha.slice(0, 7)}`;
  const took =
    run.endedAt === undefined
      ? ''
      : `, took ${duration(Date.parse(run.endedAt) - Date.parse(run.createdAt))}`;
  const issue = run.origin.issue === undefined ? '' : `, ${run.origin.issue.url}`;
  const pull = run.pullRequest;
  return [
    `  from         ${run.origin.kind}, ${oneLine(run.origin.actor, 60)}${issue}, ${run.createdAt}${took}`,
    ...(run.forkedFrom === undefined
      ? []
      : [`  repeats      run ${run.forkedFrom.run}${takenOver(run.forkedFrom.reuse)}`]),
    ...(run.repository === undefined
      ? []
      : [`  repository   ${run.repository}${run.baseRef === undefined ? '' : ` ${run.baseRef}`}${base}`]),
    ...(run.headSha === undefined
      ? []
      : [
          `  branch       ${run.headBranch ?? ''} at ${run.headSha.slice(0, 7)}${run.diffStat === undefined ? '' : `   ${diffStat(run.diffStat)}`}`,
        ]),
    ...(pull === undefined
      ? []
      : [`  pull request #${pull.number} ${pull.ready ? 'ready' : 'draft'}   ${pull.url}`]),
    ...(run.ci === undefined ? [] : [`  CI           ${safeText(ciText(run.ci))}`]),
    ...(run.decisions ?? []).map((id) => `  decision     ${id} is open   npx penstock decide ${id}`),
    ...(run.reason === undefined
      ? []
      : [`  reason       ${run.reason.code}: ${safeText(run.reason.message)}`]),
  ];
}

function takenOver({ length }: string[]): string {
  return length === 0 ? '' : `, ${count(length, 'result')} taken over`;
}

function taskText(task: TaskView): string[] {
  const change = task.changeSet === undefined ? '' : `   ${changedLines(task.changeSet)}`;
  return [
    `  ${task.id.padEnd(14)}${task.agent.padEnd(20)}${task.lane.padEnd(9)} ${task.state}${change}   ${usd(task.spentMicroUsd)}`,
    ...(task.summary === undefined ? [] : [`      ${oneLine(task.summary, MAX_LINE_CHARS)}`]),
    ...task.attempts.map((attempt) => `      ${attemptText(attempt)}`),
    ...task.checks.filter(({ command }) => command !== '').map((check) => `      ${checkText(check)}`),
    ...reviewText(task),
  ];
}

function attemptText(attempt: TaskView['attempts'][number]): string {
  const { exit, model, meter } = attempt;
  const took =
    attempt.endedAt === undefined
      ? ''
      : `, ${duration(Date.parse(attempt.endedAt) - Date.parse(attempt.startedAt))}`;
  const why =
    exit?.code === undefined ? '' : `: ${exit.code}: ${oneLine(exit.message ?? '', MAX_LINE_CHARS)}`;
  const calls = meter.calls === 0 ? '' : `, ${count(meter.calls, 'model call')} ${usd(meter.spentMicroUsd)}`;
  return `attempt ${attempt.generation} ${exit?.outcome ?? attempt.state}${took}${model === undefined ? '' : `, ${model}`}${calls}${why}`;
}

function checkText({ command, passed, exitCode, summary }: TaskView['checks'][number]): string {
  const how = passed ? 'ok' : `failed (${exitCode === null ? 'stopped' : `exit code ${exitCode}`})`;
  return `check \`${oneLine(command, 80)}\` ${how}${summary === '' ? '' : `: ${oneLine(summary, MAX_LINE_CHARS)}`}`;
}

function reviewText({ review }: TaskView): string[] {
  if (review === undefined) return [];
  const verdict = review.verdict === 'approve' ? 'approved' : 'changes requested';
  const remarks = review.remarks.map(
    ({ path, text }) => `        - ${path === null ? '' : `${path}: `}${oneLine(text, MAX_LINE_CHARS)}`,
  );
  return [`      ${verdict}: ${oneLine(review.summary, MAX_LINE_CHARS)}`, ...remarks];
}

/** `cost $0.31 of $2.00 · 24 model calls · …`, and that it is simulated where it is. */
export function costText(cost: CostView): string {
  const { input, output, cacheRead } = cost.usage;
  const simulated = cost.simulated ? ' · scripted model: tokens and cost are simulated' : '';
  return `cost ${usd(cost.spentMicroUsd)} of ${usd(cost.budgetMicroUsd)} · ${count(cost.calls, 'model call')} · ${input + cacheRead} tokens in, ${output} out${simulated}`;
}

/** What has not begun stands last. */
function byStart(a: TaskView, b: TaskView): number {
  return (a.startedAt ?? '9').localeCompare(b.startedAt ?? '9') || a.id.localeCompare(b.id);
}

function indent(line: string): string {
  return line === '' ? '' : `  ${line}`;
}
