import { html } from 'hono/html';
import type { Task } from '../../../shared/core/task.ts';
import { checkList } from './checks.ts';
import { cut, usd } from './format.ts';
import { type Html, nothing, pill } from './html.ts';

const MAX_LINE_CHARS = 160;

/** Every task, folded: what it was told, what it answered, how its attempts ended. */
export function tasksCard(tasks: readonly Task[]): Html {
  if (tasks.length === 0) return html`<div class="empty">Not planned yet.</div>`;
  return html`${tasks.map(block)}`;
}

function block(task: Task): Html {
  const { result } = task;
  const line = result?.summary ?? task.attempts.at(-1)?.exit?.message ?? task.title;
  return html`<details class="task" id="task-${task.id}">
    <summary>
      ${pill(task.state)} <b>${task.id}</b>
      <span class="soft">${task.agent} · ${cut(line.replaceAll(/\s+/g, ' '), MAX_LINE_CHARS)}</span>
    </summary>
    <div class="body">
      ${
        result === undefined
          ? nothing
          : html`<h3>Answer</h3>
              <blockquote>${result.summary}</blockquote>`
      }
      ${result === undefined || result.checks.length === 0 ? nothing : checkList(result.checks, `in ${task.id}`)}
      ${task.attempts.length === 0 ? nothing : attempts(task)}
      <h3>Instructions</h3>
      <blockquote>${task.instructions}</blockquote>
      ${task.acceptance.map((criterion) => html`<div class="small">☐ ${criterion}</div>`)}
      ${task.scope.length === 0 ? nothing : html`<div class="small soft">may change ${task.scope.join(', ')}</div>`}
    </div>
  </details>`;
}

function attempts(task: Task): Html {
  return html`<h3>Attempts</h3>
    ${task.attempts.map(
      ({ generation, exit, meter }) =>
        html`<div class="small">
          <a href="?log=${task.id}.${generation}#log">${generation}</a> ${pill(exit?.outcome ?? task.state)}
          ${usd(meter.spentMicroUsd)}
          ${exit?.message === undefined ? nothing : html`<blockquote>${exit.message}</blockquote>`}
        </div>`,
    )}`;
}
