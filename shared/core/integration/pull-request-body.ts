import type { CheckResult } from '../../messages/change-set.ts';
import { publicText } from '../public-text.ts';
import type { Run } from '../run.ts';
import { inDependencyOrder } from '../run-tasks.ts';
import { spentMicroUsd, type Task } from '../task.ts';

/** GitHub refuses a longer body. */
export const MAX_BODY_CHARS = 65_000;
const MAX_REQUIREMENT_SHOWN = 4_000;

/** What was asked, the plan, what each task did, check results, verdicts, cost. Only what the records say. */
export function pullRequestBody(run: Run, tasks: Task[], integration: Task): string {
  const spent = tasks.reduce((sum, task) => sum + spentMicroUsd(task), 0);
  const [target] = run.targets;
  const closes = run.origin.issue === undefined ? '' : `\n\nCloses #${run.origin.issue.number}`;
  const parts = [
    `## What was asked\n\n${quote(run.requirement.slice(0, MAX_REQUIREMENT_SHOWN))}`,
    `## What was done\n\n${inDependencyOrder(tasks.filter(isWork)).map(taskLine).join('\n')}`,
    `## Checks on the integrated change\n\n${checksText(integration.result?.checks ?? [])}`,
    reviewText(tasks),
    `## Cost\n\n$${(spent / 1e6).toFixed(4)} of $${(run.budget.limitMicroUsd / 1e6).toFixed(2)} · run \`${run.id}\` · base \`${target?.baseSha?.slice(0, 7) ?? ''}\``,
  ];
  const text = publicText(parts.join('\n\n'));
  return `${text.slice(0, MAX_BODY_CHARS)}${closes}\n\n${marker(run)}`;
}

/** Hidden in everything that we post, so that it is found again. */
export function marker(run: Pick<Run, 'id'>): string {
  return `<!-- penstock:run:${run.id} -->`;
}

function isWork(task: Task): boolean {
  return task.kind === 'work' || task.kind === 'fix';
}

function taskLine(task: Task): string {
  const changed = task.result?.changeSet;
  const stat = changed === undefined ? '' : ` (+${changed.added} −${changed.deleted})`;
  const summary = (task.result?.summary ?? task.state).replaceAll(/\s+/g, ' ').slice(0, 400);
  return `- **${task.id}** · ${task.agent}${stat}: ${summary}`;
}

export function checksText(checks: readonly CheckResult[]): string {
  if (checks.length === 0) return 'No checks were run.';
  return checks
    .map(({ command, passed, exitCode, summary }) => {
      if (command === '') return `- not checked: ${summary}`;
      const verdict = passed ? 'passed' : `failed (exit code ${exitCode ?? 'none'})`;
      return `- \`${command}\` ${verdict}${summary === '' ? '' : `: ${summary}`}`;
    })
    .join('\n');
}

function reviewText(tasks: Task[]): string {
  const verdicts = tasks.filter((task) => task.result?.review !== undefined);
  if (verdicts.length === 0) return '## Review\n\nThe assessment agents have not finished yet.';
  const last = verdicts.toSorted((a, b) => a.createdAt - b.createdAt);
  const lines = last.flatMap((task) => {
    const review = task.result?.review;
    const remarks = (review?.remarks ?? []).map(
      ({ path, text }) => `  - ${path === null ? '' : `\`${path}\`: `}${text}`,
    );
    return [
      `- **${task.agent}**: ${review?.verdict.replace('_', ' ') ?? ''}. ${review?.summary ?? ''}`,
      ...remarks,
    ];
  });
  return `## Review\n\n${lines.join('\n')}\n\nAgents' verdicts are advice; merging is yours.`;
}

function quote(text: string): string {
  return text
    .split('\n')
    .map((line) => `> ${line}`)
    .join('\n');
}
