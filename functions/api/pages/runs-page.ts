import { html } from 'hono/html';
import type { Run } from '../../../shared/core/run.ts';
import { stages } from '../../../shared/messages/stages.ts';
import { cut, dateTime, duration } from './format.ts';
import { type Html, nothing, outsideLink, pill } from './html.ts';

export interface RunsPage {
  runs: Run[];
  stage?: string | undefined;
  /** Cursor of the next page. */
  next?: string | undefined;
  now: number;
}

const MAX_TITLE_CHARS = 120;

/** The list of runs, newest first. */
export function runsPage({ runs, stage, next, now }: RunsPage): Html {
  const query = new URLSearchParams({ ...(stage === undefined ? {} : { stage }), cursor: next ?? '' });
  return html`<h1>Runs</h1>
    <p class="filters">${[undefined, ...stages].map((name) => filter(name, stage))}</p>
    <section class="card scroll" id="runs">
      ${
        runs.length === 0
          ? html`<div class="empty">
              No runs here yet. <code>penstock submit --repo . "what you want"</code> starts one.
            </div>`
          : html`<table>
              <thead>
                <tr>
                  <th>Run</th>
                  <th>Stage</th>
                  <th>Title</th>
                  <th>Repository</th>
                  <th>Pull request</th>
                  <th class="num">Took</th>
                  <th>Accepted</th>
                </tr>
              </thead>
              <tbody>
                ${runs.map((run) => row(run, now))}
              </tbody>
            </table>`
      }
    </section>
    ${next === undefined ? nothing : html`<p><a href="/runs?${query.toString()}">Older runs →</a></p>`}`;
}

function filter(name: string | undefined, current: string | undefined): Html {
  const href = name === undefined ? '/runs' : `/runs?stage=${name}`;
  const label = (name ?? 'all').replaceAll('_', ' ');
  return html`<a class="small ${name === current ? 'here' : ''}" href="${href}">${label}</a> `;
}

function row(run: Run, now: number): Html {
  const { pullRequest } = run;
  return html`<tr>
    <td><a class="mono" href="/runs/${run.id}">${run.id}</a></td>
    <td>${pill(run.stage)}</td>
    <td class="wide"><a href="/runs/${run.id}">${cut(run.title, MAX_TITLE_CHARS)}</a></td>
    <td class="wide soft">${run.targets[0]?.repository ?? '–'}</td>
    <td>${pullRequest === undefined ? '–' : outsideLink(pullRequest.url, `#${pullRequest.number}`)}</td>
    <td class="num">${duration((run.endedAt ?? now) - run.createdAt)}</td>
    <td class="nowrap soft">${dateTime(run.createdAt)}</td>
  </tr>`;
}
