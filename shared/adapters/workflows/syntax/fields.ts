import { plainText } from '../plain-text.ts';
import type { Named, Position } from './ast.ts';
import type { Problems } from './problems.ts';
import type { ListTree, MapTree, Tree, TreeEntry } from './source-tree.ts';

/** The keys of a map that may have these keys and no other. */
export function fieldsOf(
  tree: MapTree,
  allowed: readonly string[],
  { problems, what }: { problems: Problems; what: string },
): Map<string, TreeEntry> {
  const fields = new Map<string, TreeEntry>();
  for (const entry of tree.entries) {
    const name = plainText(entry.key.value);
    if (allowed.includes(name)) fields.set(name, entry);
    else problems.error(entry.key.position, `${what} has no key '${name}'; it has ${allowed.join(', ')}`);
  }
  return fields;
}

export function requireMap(tree: Tree | undefined, what: string, problems: Problems): MapTree | undefined {
  if (tree?.kind === 'map') return tree;
  if (tree !== undefined) problems.error(tree.position, `${what} is a map`);
  return undefined;
}

export function requireList(tree: Tree | undefined, what: string, problems: Problems): ListTree | undefined {
  if (tree?.kind === 'list') return tree;
  if (tree !== undefined) problems.error(tree.position, `${what} is a list`);
  return undefined;
}

const VARIABLE = /^[A-Za-z_]\w*$/;

/** The name of a variable. */
export function readVariable(tree: Tree | undefined, what: string, problems: Problems): Named | undefined {
  const named = readName(tree, what, problems);
  if (named === undefined || VARIABLE.test(named.name)) return named;
  problems.error(named.position, `'${named.name}' cannot name a variable: it takes letters, digits and _`);
  return undefined;
}

/** Plain text that is not empty. */
export function readName(tree: Tree | undefined, what: string, problems: Problems): Named | undefined {
  if (tree === undefined) return undefined;
  const { position } = tree;
  if (
    tree.kind === 'scalar' &&
    typeof tree.value === 'string' &&
    tree.value !== '' &&
    !tree.value.includes('${')
  )
    return { name: tree.value, position };
  problems.error(position, `${what} is a name, written as plain text`);
  return undefined;
}

/** The one entry of a map that stands for a named thing, as each step does. */
export function onlyEntry(tree: Tree, what: string, problems: Problems): TreeEntry | undefined {
  const [entry, ...others] = tree.kind === 'map' ? tree.entries : [];
  if (entry !== undefined && others.length === 0) return entry;
  problems.error(tree.position, `${what} is a map with one key, its name`);
  return undefined;
}

/** Says that a list has more than is allowed. */
export function checkCount(
  count: number,
  most: number,
  { at, what, problems }: { at: Position; what: string; problems: Problems },
): void {
  if (count > most) problems.error(at, `${what}: ${count} are more than the ${most} that are allowed`);
}
