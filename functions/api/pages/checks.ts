import { html } from 'hono/html';
import { isTerminal, type Run } from '../../../shared/core/run.ts';
import type { Task } from '../../../shared/core/task.ts';
import { ciText, ciView } from '../../../shared/core/views/ci-view.ts';
import type { CheckResult } from '../../../shared/messages/change-set.ts';
import type { ReviewAnswer } from '../../../shared/messages/plan.ts';
import { duration } from './format.ts';
import { type Html, nothing } from './html.ts';

/** Checks of the newest integration, and what the assessments say. */
export function checksCard(run: Run, tasks: readonly Task[]): Html {
  const integration = tasks
    .filter(({ kind, result }) => kind === 'integrate' && result !== undefined)
    .toSorted((a, b) => a.createdAt - b.createdAt)
    .at(-1);
  const ci = ciView(run);
  const reviews = tasks.filter(({ result }) => result?.review !== undefined);
  return html`<div class="body">
    ${
      integration === undefined
        ? html`<div class="soft">Not integrated${isTerminal(run.stage) ? '' : ' yet'}.</div>`
        : checkList(integration.result?.checks ?? [], `after ${integration.id}`)
    }
    ${ci === undefined ? nothing : html`<div><span class="pill ${ci.state === 'red' ? 'bad' : ''}">CI</span> ${ciText(ci)}</div>`}
    ${(run.contract?.reasons ?? []).map((reason) => html`<div class="soft small">${reason}</div>`)}
    ${reviews.map((task) => (task.result?.review === undefined ? nothing : review(task, task.result.review)))}
    ${reviews.length > 0 ? html`<div class="soft small">Agents' verdicts are advice; merging is a person's.</div>` : nothing}
  </div>`;
}

/** Results of commands; the output of what failed is there to be read. */
export function checkList(checks: readonly CheckResult[], when: string): Html {
  if (checks.length === 0) return html`<div class="soft">No checks were run ${when}.</div>`;
  return html`${checks.map(
    (check) =>
      html`<div>
        <span class="pill ${check.passed ? 'good' : 'bad'}">${check.passed ? '✓ passed' : '✗ failed'}</span>
        <code>${check.command}</code>
        <span class="soft small">${check.summary} · ${duration(check.durationMs)} · ${when}</span>
        ${check.passed ? nothing : html`<pre class="wrap">${check.outputTail}</pre>`}
      </div>`,
  )}`;
}

function review(task: Task, { verdict, summary, remarks }: ReviewAnswer): Html {
  const isApproved = verdict === 'approve';
  return html`<h3>
      ${task.agent}
      <span class="pill ${isApproved ? 'good' : 'bad'}"
        >${isApproved ? '✓ approves' : '✗ asks for changes'}</span
      >
    </h3>
    <blockquote>${summary}</blockquote>
    ${remarks.map(({ path, text }) => html`<div class="small">${path === null ? nothing : html`<code>${path}</code> `}${text}</div>`)}`;
}
