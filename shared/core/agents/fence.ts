/**
 * Untrusted text as data: between tags that the text itself cannot close, under a name that the system prompt calls data.
 * Nothing that stands in it may change what the agent is told to do (§10).
 */
export function fence(name: string, text: string): string {
  const inert = text.replaceAll(/<(\/?)data(?=[\s>/]|$)/gi, '&lt;$1data');
  return `<data name="${name}">\n${inert.trim()}\n</data>`;
}
