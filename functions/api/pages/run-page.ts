import { html } from 'hono/html';
import type { Decision } from '../../../shared/core/decisions/decision.ts';
import { isTerminal, type Run } from '../../../shared/core/run.ts';
import { isUnderWay, type Task } from '../../../shared/core/task.ts';
import type { CostView, RunEvent } from '../../../shared/messages/run-view.ts';
import { checksCard } from './checks.ts';
import { costCard } from './cost.ts';
import { decisionsAlert } from './decisions.ts';
import { diffFiles } from './diff.ts';
import { dateTime, duration, plural, usd } from './format.ts';
import { graph } from './graph.ts';
import { type Html, nothing, outsideLink, pill } from './html.ts';
import { logCard, type ShownLog } from './log.ts';
import { tasksCard } from './tasks.ts';
import { timeline } from './timeline.ts';

/** Everything that the page of a run shows, read beforehand. */
export interface RunPage {
  run: Run;
  tasks: Task[];
  /** What it waits for a person to answer. */
  decisions: Decision[];
  events: RunEvent[];
  cost: CostView;
  log: ShownLog | undefined;
  diff: string | undefined;
  now: number;
}

/** One run: what it is for, how it stands, what every part of it did. */
export function runPage(page: RunPage): Html {
  const { run, tasks, events, cost, now } = page;
  return html`${part('head', header(page))} ${part('alarm', alarm(run, tasks))}
    ${part('decisions', decisionsAlert(page.decisions))}
    ${part(
      'graph',
      card(
        'Tasks',
        html`<span class="soft small">${progress(tasks)}</span>`,
        tasks.length === 0
          ? html`<div class="empty">Not planned yet.</div>`
          : html`<div class="scroll tall" tabindex="0">${graph(tasks, now)}</div>`,
      ),
    )}
    <div class="two">
      ${part('timeline', card('Timeline', html`<span class="soft small">newest first, UTC</span>`, timeline(run, events)))}
      <div>${logCard(page)}</div>
    </div>
    <div class="two even">
      ${part('cost', card('Cost', costNote(cost), costCard(cost, tasks)))}
      ${part('checks', card('Checks and review', nothing, checksCard(run, tasks)))}
    </div>
    ${part('diff', card('Change', diffNote(page), diffBody(page)))}
    ${part('tasks', card('What each task did', nothing, tasksCard(tasks)))}
    ${card(
      'What was asked',
      html`<span class="soft small">${run.origin.kind} · ${run.origin.actor}</span>`,
      html`<pre class="wrap">${run.requirement}</pre>`,
    )}`;
}

/** A part that the script replaces when something has happened. */
function part(id: string, content: Html): Html {
  return html`<div id="${id}" data-live>${content}</div>`;
}

function card(title: string, note: Html, body: Html): Html {
  return html`<section class="card">
    <header>
      <h2>${title}</h2>
      <span class="space"></span>${note}
    </header>
    ${body}
  </section>`;
}

function header({ run, cost, now }: RunPage): Html {
  const { pullRequest, origin, diffStat } = run;
  const [target] = run.targets;
  const isOver = isTerminal(run.stage);
  return html`<div class="head">
    <div>
      <div>
        ${pill(run.stage)}
        <span class="mono soft">${run.id}</span>
        ${run.dryRun ? html`<span class="soft">dry run: stops at the plan</span>` : nothing}
      </div>
      <h1>${run.title}</h1>
      <div class="facts">
        ${target === undefined ? nothing : html`<span>${target.repository}${target.baseSha === undefined ? '' : ` @ ${target.baseSha.slice(0, 7)}`}</span>`}
        ${origin.issue === undefined ? nothing : outsideLink(origin.issue.url, `issue #${origin.issue.number}`)}
        ${
          pullRequest === undefined
            ? nothing
            : html`<b
                >${outsideLink(pullRequest.url, `pull request #${pullRequest.number}`)}
                ${pullRequest.ready ? '' : '(draft)'}</b
              >`
        }
        ${pullRequest === undefined && run.heads.length > 0 ? html`<span>branch <code>${target?.headBranch ?? ''}</code></span>` : nothing}
        ${diffStat === undefined ? nothing : html`<span>${plural(diffStat.files, 'file')} +${diffStat.added} −${diffStat.deleted}</span>`}
        <span
          >${isOver ? 'took' : 'running for'} <b>${duration((run.endedAt ?? now) - run.createdAt)}</b></span
        >
        <span>spent <b>${usd(cost.spentMicroUsd)}</b> of ${usd(cost.budgetMicroUsd)}</span>
        <span>accepted ${dateTime(run.createdAt)}</span>
      </div>
    </div>
    ${isOver || run.stage === 'cancelling' ? nothing : html`<button id="cancel" type="button">Stop this run</button>`}
  </div>`;
}

/** Why a run ended badly, and where to look next: the first thing that somebody called at night wants. */
function alarm(run: Run, tasks: readonly Task[]): Html {
  if (run.stage !== 'failed' || run.reason === undefined) return nothing;
  const broken = tasks.find(({ state }) => state === 'failed');
  const last = broken?.attempts.at(-1);
  return html`<div class="alarm" role="alert">
    <b>${run.reason.code.replaceAll('_', ' ')}</b> · ${run.reason.message}
    ${
      broken === undefined || last === undefined
        ? nothing
        : html`<div>
            <a href="?log=${broken.id}.${last.generation}#log">Read what ${broken.id} said and ran →</a>
          </div>`
    }
  </div>`;
}

function progress(tasks: readonly Task[]): string {
  const ended = tasks.filter((task) => !task.live).length;
  const running = tasks.filter(isUnderWay).length;
  return `${ended} of ${plural(tasks.length, 'task')} ended${running > 0 ? `, ${running} running` : ''}`;
}

function costNote(cost: CostView): Html {
  const share = Math.min(1, cost.spentMicroUsd / Math.max(1, cost.budgetMicroUsd));
  return html`<meter
      class="meter"
      min="0"
      max="1"
      value="${share.toFixed(3)}"
      title="share of the budget"
    ></meter>
    <span class="soft small">${(share * 100).toFixed(0)} % of ${usd(cost.budgetMicroUsd)}</span>`;
}

function diffNote({ run, diff }: RunPage): Html {
  if (diff === undefined) return nothing;
  return html`<a class="small" href="/api/runs/${run.id}/diff">as text</a>`;
}

function diffBody({ run, tasks, diff }: RunPage): Html {
  if (diff !== undefined)
    return diff === '' ? html`<div class="empty">No file differs.</div>` : diffFiles(diff);
  const own = tasks.filter((task) => task.result?.changeSet !== undefined);
  if (own.length === 0) return html`<div class="empty">No change yet.</div>`;
  return html`<div class="empty">
    Not integrated${isTerminal(run.stage) ? '' : ' yet'}. Changes of single tasks:
    ${own.map((task) => html`<a href="/api/runs/${run.id}/diff?task=${task.id}">${task.id}</a> `)}
  </div>`;
}
