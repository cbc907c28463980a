import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';

const VALUE_IMPORT = /(?:^|\n)import\s+(?!type\b)[^'"]*?from\s+'(\.[^']+)'/g;

/** The source of every file of functions/ and shared/core/ that a function's handler can reach: more than it ever runs, never less. */
export function reachableCode(root: string, name: string): string {
  const inside = [join(root, 'functions'), join(root, 'shared/core'), join(root, 'shared/messages')];
  const seen = new Map<string, string>();
  const visit = (file: string): void => {
    if (seen.has(file) || !existsSync(file) || !inside.some((folder) => file.startsWith(folder))) return;
    const source = readFileSync(file, 'utf8');
    seen.set(file, source);
    for (const [, specifier = ''] of source.matchAll(VALUE_IMPORT)) visit(resolve(dirname(file), specifier));
  };
  visit(join(root, 'functions', name, `${name}.ts`));
  return [...seen.values()].join('\n');
}
