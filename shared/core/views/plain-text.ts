/**
 * Text of others for a terminal or a page: without escape sequences and other control characters, which could
 * rewrite what stands on the screen, and without the marks that turn the direction of reading.
 */
export function plainText(text: string): string {
  // oxlint-disable-next-line no-control-regex
  const withoutEscapes = text.replaceAll(/\u001b(?:\[[0-?]*[ -/]*[@-~]|\][^\u0007\u001b]*(?:\u0007|\u001b\\)?)/g, '');
  // oxlint-disable-next-line no-control-regex
  return withoutEscapes
    .replaceAll('\r\n', '\n')
    .replaceAll(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g, '\uFFFD');
}
