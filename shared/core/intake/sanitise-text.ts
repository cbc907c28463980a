/** Characters that a reader does not see but a model does. */
const HIDDEN = new RegExp(
  [
    String.raw`[\u0000-\u0008\u000B\u000C\u000E-\u001F\u007F-\u009F]`, // controls
    String.raw`[\u00AD\u034F\u061C\u115F\u1160\u17B4\u17B5\u180B-\u180F\u3164\uFFA0]`, // fillers and joiners
    String.raw`[\u200B-\u200F\u202A-\u202E\u2060-\u206F\uFEFF\uFFF9-\uFFFB]`, // zero width, direction marks
    String.raw`[\uFE00-\uFE0F]|[\u{E0000}-\u{E0FFF}]`, // variation selectors, tag characters
  ].join('|'),
  'gu',
);
const HTML_COMMENT = /<!--[\s\S]*?(-->|$)/g;

/** Untrusted text as a person sees it on the page: hidden characters and HTML comments are gone. */
export function sanitiseText(text: string): string {
  return text
    .toWellFormed()
    .replaceAll('\r\n', '\n')
    .replaceAll(HTML_COMMENT, '')
    .replaceAll(HIDDEN, '')
    .trim();
}

/** What one record has room for beside everything else that stands in it, as UTF-8 bytes of JSON. */
export const MAX_STORED_TEXT_BYTES = 60_000;

export function storedBytes(value: unknown): number {
  return Buffer.byteLength(JSON.stringify(value));
}

/** The beginning of a text, never with half a character at its end. */
export function cutText(text: string, maxChars: number, maxBytes: number = Number.POSITIVE_INFINITY): string {
  let cut = wholeCharacters(text, maxChars);
  for (let bytes = storedBytes(cut); bytes > maxBytes; bytes = storedBytes(cut)) {
    cut = wholeCharacters(cut, Math.floor((cut.length * maxBytes) / bytes));
  }
  return cut;
}

function wholeCharacters(text: string, maxChars: number): string {
  const cut = text.slice(0, maxChars);
  return /[\uD800-\uDBFF]$/.test(cut) ? cut.slice(0, -1) : cut;
}
