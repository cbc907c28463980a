import { html } from 'hono/html';
import type { Task } from '../../../shared/core/task.ts';
import type { CostView } from '../../../shared/messages/run-view.ts';
import { tokens, usd } from './format.ts';
import { type Html, nothing } from './html.ts';

/** What each task cost, and all of them. */
export function costCard(cost: CostView, tasks: readonly Task[]): Html {
  const attempts = new Map(tasks.map(({ id, attempts: made }) => [id, made.length]));
  return html`<div class="scroll">
    <table>
      <thead>
        <tr>
          <th>Task</th>
          <th class="num">Attempts</th>
          <th class="num">Calls</th>
          <th class="num">Tokens in</th>
          <th class="num" title="of them read from the provider's cache">cached</th>
          <th class="num">out</th>
          <th class="num">USD</th>
        </tr>
      </thead>
      <tbody>
        ${cost.tasks.map(
          (row) =>
            html`<tr>
              <td>
                ${row.task}
                <div class="soft small">${row.agent}</div>
              </td>
              <td class="num">${attempts.get(row.task) ?? 0}</td>
              ${numbers(row)}
            </tr>`,
        )}
        <tr class="sum">
          <td>Total</td>
          <td></td>
          ${numbers(cost)}
        </tr>
      </tbody>
    </table>
    ${cost.reservedMicroUsd > 0 ? html`<div class="empty">${usd(cost.reservedMicroUsd)} more is set aside for calls under way.</div>` : nothing}
  </div>`;
}

function numbers({ calls, usage, spentMicroUsd }: Pick<CostView, 'calls' | 'usage' | 'spentMicroUsd'>): Html {
  return html`<td class="num">${calls}</td>
    <td class="num">${tokens(usage.input + usage.cacheRead + usage.cacheWrite)}</td>
    <td class="num soft">${tokens(usage.cacheRead)}</td>
    <td class="num">${tokens(usage.output)}</td>
    <td class="num">${usd(spentMicroUsd)}</td>`;
}
