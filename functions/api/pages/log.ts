import { html } from 'hono/html';
import type { Run } from '../../../shared/core/run.ts';
import type { Task, TaskAttempt } from '../../../shared/core/task.ts';
import { hasEnded } from '../../../shared/core/views/task-view.ts';
import { type Html, glyphOf, toneOf } from './html.ts';

/** The attempt whose log is shown, with its text. */
export interface ShownLog {
  task: Task;
  attempt: TaskAttempt;
  text: string;
  isCut: boolean;
}

interface Logs {
  run: Run;
  tasks: Task[];
  log: ShownLog | undefined;
}

/** The log of one attempt, and the way to the others. The text itself is kept up to date by the stream, not with the page. */
export function logCard({ run, tasks, log }: Logs): Html {
  return html`<section class="card" id="log">
    <div id="log-head" data-live>
      ${log === undefined ? html`<header class="tabs"><h2>Log</h2></header>` : head(run.id, tasks, log)}
    </div>
    <pre id="log-text" tabindex="0">${log === undefined ? 'No attempt has started.' : text(log)}</pre>
  </section>`;
}

function head(run: string, tasks: readonly Task[], { task, attempt }: ShownLog): Html {
  const url = `/api/runs/${run}/tasks/${task.id}/attempts/${attempt.generation}`;
  return html`<div class="tabs" id="log-source" data-follow="${url}/log?follow=1">
      <h2>Log of ${task.id}, attempt ${attempt.generation}</h2>
      <span class="soft small">${task.agent} · ${attempt.model ?? 'no model asked yet'}</span>
      <span class="small"><a href="${url}/log">text</a> <a href="${url}/transcript">transcript</a></span>
    </div>
    <div class="tabs">
      ${tasks.flatMap((other) => other.attempts.map((candidate) => tab(other, candidate, candidate === attempt)))}
    </div>`;
}

function tab(task: Task, attempt: TaskAttempt, isHere: boolean): Html {
  const state = attempt.exit?.outcome ?? task.state;
  const label = task.attempts.length > 1 ? `${task.id} ${attempt.generation}` : task.id;
  return html`<a class="${isHere ? 'here' : ''}" href="?log=${task.id}.${attempt.generation}#log"
    ><i class="${toneOf(state)}">${glyphOf(state)}</i> ${label}</a
  >`;
}

function text({ text: lines, isCut, task, attempt }: ShownLog): string {
  if (lines === '') return hasEnded(task, attempt) ? 'This attempt wrote nothing.' : 'Nothing written yet.';
  return isCut ? `… earlier lines are in the text …\n${lines}` : lines;
}
