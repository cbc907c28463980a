import type { Decision } from '../decisions/decision.ts';
import { checksText, marker, MAX_BODY_CHARS } from '../integration/pull-request-body.ts';
import { publicText } from '../public-text.ts';
import { isTerminal, type Run } from '../run.ts';
import { ciText, ciView } from '../views/ci-view.ts';
import { decisionText } from './decision-text.ts';
import { inDependencyOrder } from '../run-tasks.ts';
import { spentMicroUsd, type Task } from '../task.ts';

/** What a comment shows beside the run's own records. */
export interface CommentContext {
  publicUrl: string;
  /** What it waits for a person to decide. */
  decisions: Decision[];
}

/** The one comment of a run: where it stands, what each task does, what it cost, and what a person can do. */
export function progressComment(run: Run, tasks: Task[], { publicUrl, decisions }: CommentContext): string {
  const ci = ciView(run);
  const spent = tasks.reduce((sum, task) => sum + spentMicroUsd(task), 0);
  const shown = inDependencyOrder(tasks).filter((task) => task.kind !== 'plan');
  const table = shown.map((task) => `| ${task.id} | ${task.agent} | ${task.state} |`).join('\n');
  const parts = [
    `### ${headline(run)}`,
    run.reason === undefined ? '' : run.reason.message,
    ci === undefined ? '' : ciText(ci),
    ...decisions.map(decisionText),
    shown.length === 0 ? '' : `| task | agent | state |\n|---|---|---|\n${table}`,
    isTerminal(run.stage) ? checks(run, tasks) : '',
    `$${(spent / 1e6).toFixed(4)} of $${(run.budget.limitMicroUsd / 1e6).toFixed(2)} · [run ${run.id}](${publicUrl}/runs/${run.id})`,
  ];
  const text = publicText(parts.filter((part) => part !== '').join('\n\n'));
  return `${text.slice(0, MAX_BODY_CHARS)}\n\n${marker(run)}`;
}

function headline(run: Run): string {
  const pull = run.pullRequest === undefined ? '' : ` Pull request #${run.pullRequest.number}`;
  switch (run.stage) {
    case 'succeeded':
      return run.pullRequest === undefined
        ? 'Done; nothing had to be changed.'
        : `Done.${pull} is ready for your review.`;
    case 'failed':
      return `Failed: ${run.reason?.code.replaceAll('_', ' ') ?? 'unknown'}.${pull === '' ? '' : `${pull} stays a draft.`}`;
    case 'cancelled':
      return 'Cancelled.';
    case 'accepted':
    case 'planning':
      return 'Planning.';
    default:
      return `${run.stage.replace('_', ' ')}: ${run.plan?.summary ?? ''}`.slice(0, 300);
  }
}

function checks(run: Run, tasks: Task[]): string {
  const integration = tasks.find(({ id }) => id === `integrate-${run.integrations}`);
  return integration?.result === undefined ? '' : checksText(integration.result.checks);
}
