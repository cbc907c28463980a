import { html, raw } from 'hono/html';

/** Markup; everything put into it was escaped, or is markup itself. */
export type Html = ReturnType<typeof html>;

export const nothing = raw('');

/** The address, if a link may lead there: never `javascript:` or another scheme that acts. */
export function safeUrl(url: string): string | undefined {
  if (!URL.canParse(url)) return undefined;
  const { protocol, href } = new URL(url);
  return protocol === 'https:' || protocol === 'http:' ? href : undefined;
}

/** A link to another site, or only its text where that is no address to lead anybody to. */
export function outsideLink(url: string, text: string): Html {
  const href = safeUrl(url);
  if (href === undefined) return html`<span>${text}</span>`;
  return html`<a href="${href}" rel="noopener noreferrer">${text}</a>`;
}

/** Stage or state as a coloured mark; the glyph says it too, for who does not see the colour. */
export function pill(state: string, label = state.replaceAll('_', ' ')): Html {
  return html`<span class="pill ${toneOf(state)}">${glyphOf(state)} ${label}</span>`;
}

export type Tone = 'good' | 'bad' | 'busy' | 'wait' | 'off';

export function toneOf(state: string): Tone {
  switch (state) {
    case 'succeeded':
      return 'good';
    case 'failed':
    case 'lost':
      return 'bad';
    case 'cancelled':
    case 'cancelling':
    case 'skipped':
      return 'off';
    case 'accepted':
    case 'pending':
    case 'ready':
    case 'blocked':
    case 'awaiting_approval':
      return 'wait';
    default:
      return 'busy';
  }
}

const glyphs: Record<Tone, string> = { good: '✓', bad: '✗', busy: '●', wait: '○', off: '–' };

export function glyphOf(state: string): string {
  return glyphs[toneOf(state)];
}
