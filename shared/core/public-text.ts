import { redact } from './repository/scan-secrets.ts';

/**
 * Text of records as a host of repositories may show it to everybody: without known kinds of secrets, and without power to call
 * people, close issues in our name, or hide anything from the reader. What is to do that on purpose is put beside it.
 */
export function publicText(text: string): string {
  return redact(text)
    .replaceAll('<!--', '&lt;!--')
    .replaceAll(/(^|[^\w`/])@(?=[A-Za-z0-9])/g, '$1@\u200B')
    .replaceAll(/\b(close[sd]?|fix(?:e[sd])?|resolve[sd]?):?\s+(\S*)#(?=\d)/gi, '$1 $2#\u200B');
}
