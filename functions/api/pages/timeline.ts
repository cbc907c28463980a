import { html } from 'hono/html';
import type { Run } from '../../../shared/core/run.ts';
import type { RunEvent } from '../../../shared/messages/run-view.ts';
import { clockTime, duration } from './format.ts';
import { type Html, nothing, pill } from './html.ts';

/** Newest that are shown; the API has all. */
const MAX_SHOWN = 300;

/** What happened, newest last, without the mere creation of the plan's tasks. */
export function timeline(run: Run, events: readonly RunEvent[]): Html {
  const told = events.filter(({ task, state, by }) => task === undefined || state !== 'pending' || by !== 'plan');
  const shown = told.slice(-MAX_SHOWN);
  return html`<div class="scroll tall" tabindex="0">
    ${told.length > shown.length
      ? html`<div class="empty">${told.length - shown.length} older events: <a href="/api/runs/${run.id}/events?wait=0">JSON</a></div>`
      : nothing}
    <table class="timeline">
      <tbody>
        ${shown.map((event) => row(run, event))}
      </tbody>
    </table>
  </div>`;
}

function row(run: Run, { at, task, state, by, note }: RunEvent): Html {
  const time = Date.parse(at);
  const since = duration(Math.max(0, time - run.createdAt));
  return html`<tr>
    <td class="mono soft nowrap" title="${at}">${clockTime(time)}</td>
    <td class="small soft nowrap right">+${since}</td>
    <td class="wide"><b>${task ?? 'run'}</b> ${pill(state)} <span class="soft small">${by}</span>
      ${note === undefined ? nothing : html`<div class="small">${note}</div>`}</td>
  </tr>`;
}
