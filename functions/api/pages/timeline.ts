import { html } from 'hono/html';
import type { Run } from '../../../shared/core/run.ts';
import type { RunEvent } from '../../../shared/messages/run-view.ts';
import { clockTime, duration } from './format.ts';
import { type Html, nothing, pill } from './html.ts';

/** Newest that are shown; the API has all. */
const MAX_SHOWN = 300;

/** What happened, newest first, without what says nothing: the creation of the plan's tasks, the start of what has started. */
export function timeline(run: Run, events: readonly RunEvent[]): Html {
  const running = new Set(events.filter(({ state }) => state === 'running').map(({ by }) => by));
  const told = events.filter(({ task, state, by }) => {
    if (task === undefined) return true;
    return state === 'pending' ? by !== 'plan' : state !== 'starting' || !running.has(by);
  });
  const shown = told.slice(-MAX_SHOWN).toReversed();
  return html`<div class="scroll tall" tabindex="0">
    <table class="timeline">
      <tbody>
        ${shown.map((event) => row(run, event))}
      </tbody>
    </table>
    ${
      told.length > shown.length
        ? html`<div class="empty">
            ${told.length - shown.length} older events: <a href="/api/runs/${run.id}/events?wait=0">JSON</a>
          </div>`
        : nothing
    }
  </div>`;
}

function row(run: Run, { at, task, state, by, note }: RunEvent): Html {
  const time = Date.parse(at);
  const since = duration(Math.max(0, time - run.createdAt));
  // After a failed attempt a task is pending again, and the note says why.
  const isRetry = task !== undefined && state === 'pending' && note !== undefined;
  return html`<tr>
    <td class="mono soft nowrap" title="${at}">${clockTime(time)}</td>
    <td class="small soft nowrap right">+${since}</td>
    <td class="wide">
      <b>${task ?? 'run'}</b> ${isRetry ? pill('failed', 'attempt failed') : pill(state)}
      <span class="soft small">${by}</span>
      ${note === undefined ? nothing : html`<div class="small">${note}</div>`}
    </td>
  </tr>`;
}
