const PLACEHOLDER = /\{\{([a-z_]+)\}\}/g;

/**
 * A template with its `{{placeholders}}` filled in one pass: what is filled in is never looked at again, so a value that contains `{{…}}` stays as it is.
 * More than one empty line in a row, as an empty value leaves behind, becomes one.
 */
export function fillTemplate(template: string, values: Record<string, string>): string {
  const parts = template.split(PLACEHOLDER);
  const filled = parts.map((part, index) => (index % 2 === 0 ? part : (values[part] ?? '')));
  // Only the template's own text is tidied; a value keeps its empty lines.
  return joinTidily(filled).trim();
}

/** Names of placeholders that nothing fills. */
export function unknownPlaceholders(template: string, known: readonly string[]): string[] {
  const names = [...template.matchAll(PLACEHOLDER)].flatMap((match) => match[1] ?? []);
  return [...new Set(names)].filter((name) => !known.includes(name));
}

function joinTidily(parts: string[]): string {
  let text = '';
  parts.forEach((part, index) => {
    if (part === '') return;
    const isOwnText = index % 2 === 0;
    text += isOwnText && (text === '' || text.endsWith('\n\n')) ? part.replace(/^\n+/, '') : part;
  });
  return text;
}
