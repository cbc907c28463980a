import { html, raw } from 'hono/html';
import { randomBytes } from 'node:crypto';
import type { ApiContext } from '../api-env.ts';
import { type Html, nothing } from './html.ts';
import { style } from './style.ts';

export interface Page {
  title: string;
  /** Whether a scripted model answers: said on every page. */
  simulated: boolean;
  /** Of `<body>`, for the script. */
  data?: Record<string, string>;
  /** Ours, never anything of a run. */
  script: string;
  aside?: Html;
  main: Html;
}

/** A whole page, which runs nothing but its own script and loads nothing from elsewhere. */
export async function sendPage(context: ApiContext, page: Page): Promise<Response> {
  const nonce = randomBytes(16).toString('base64url');
  const data = Object.entries(page.data ?? {}).map(([name, value]) => html` data-${raw(name)}="${value}"`);
  const markup = await html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <title>${page.title} · Penstock</title>
        <style nonce="${nonce}">
          ${raw(style)}
        </style>
      </head>
      <body${data}>
        <nav class="bar">
          <a class="name" href="/runs">Penstock</a><a href="/runs">Runs</a><span class="space"></span>${page.aside ?? nothing}
        </nav>
        ${
          page.simulated
            ? html`<div class="simulated" role="note">
                Scripted model: no AI is called, tokens and cost are simulated.
              </div>`
            : nothing
        }
        <main>${page.main}</main>
        <script nonce="${nonce}" type="module">
          ${raw(page.script)}
        </script>
      </body>
    </html>`;
  context.header('content-security-policy', policy(nonce));
  context.header('referrer-policy', 'no-referrer');
  return context.html(markup);
}

function policy(nonce: string): string {
  return [
    "default-src 'none'",
    `style-src 'nonce-${nonce}'`,
    `script-src 'nonce-${nonce}'`,
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; ');
}
