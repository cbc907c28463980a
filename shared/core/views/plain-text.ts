// oxlint-disable-next-line no-control-regex
const ESCAPES = /\u001b(?:\[[0-?]*[ -/]*[@-~]|\][^\u0007\u001b]*(?:\u0007|\u001b\\)?)/g;
/** Control characters but tab and newline, and the marks that turn the direction of reading. */
// oxlint-disable-next-line no-control-regex
const UNPRINTABLE = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g;

/** Text of others for a terminal or a page: without what could rewrite the screen or make it read differently. */
export function plainText(text: string): string {
  return text.replaceAll(ESCAPES, '').replaceAll('\r\n', '\n').replaceAll(UNPRINTABLE, '\uFFFD');
}
