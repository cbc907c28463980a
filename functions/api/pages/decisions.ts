import { html } from 'hono/html';
import type { Decision } from '../../../shared/core/decisions/decision.ts';
import { dateTime } from './format.ts';
import { type Html, nothing } from './html.ts';

/** What waits for a person, above everything else, with a button for each way to answer. */
export function decisionsAlert(decisions: readonly Decision[]): Html {
  if (decisions.length === 0) return nothing;
  return html`${decisions.map(
    ({ id, question, options, safeOption, deadline }) =>
      html`<div class="alarm" role="alert">
        <b>Decision ${id}</b> · ${question}
        <div>
          ${options.map(
            (option) =>
              html`<button
                type="button"
                data-decision="${id}"
                data-option="${option.id}"
                title="${option.label}"
              >
                ${option.label}
              </button> `,
          )}
        </div>
        <span class="soft small">without an answer by ${dateTime(deadline)} UTC: ${safeOption}</span>
      </div>`,
  )}`;
}
