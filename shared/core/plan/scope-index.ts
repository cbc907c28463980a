import { fixedPart, isInside, pattern } from './scopes.ts';

/** Scopes that mean the same: one path, or all globs with one beginning. */
export interface ScopePlace {
  /** Itself, and every place that may share a file with it; errs towards yes. */
  overlapping(): ScopePlace[];
  /** For whoever uses the index: what it knows of the place. */
  readonly chain: number[];
}

/** All places with one fixed beginning. The nodes below a node follow it, up to `end`. */
interface Node {
  fixed: string;
  path?: ScopePlace;
  glob?: ScopePlace;
  parent: Node | undefined;
  end: number;
}

/** The places of each list of scopes. Looking up what overlaps costs what is found, not the number of scopes. */
export function indexScopes(scopes: readonly (readonly string[])[]): ScopePlace[][] {
  const patterns = scopes.map((list) => list.map(pattern));
  const nodes = nodesOf([...new Set(patterns.flat().map(fixedPart))].toSorted(byCodeUnits));
  const byFixed = new Map(nodes.map((node, index) => [node.fixed, { node, index }]));
  const placeOf = (text: string): ScopePlace[] => {
    const fixed = fixedPart(text);
    const found = byFixed.get(fixed);
    if (found === undefined) return [];
    const { node, index } = found;
    const kind = fixed === text ? 'path' : 'glob';
    node[kind] ??= { overlapping: () => overlapping(nodes, index, kind), chain: [] };
    return [node[kind]];
  };
  return patterns.map((list) => [...new Set(list.flatMap(placeOf))]);
}

/** `fixed` is sorted, so what begins with a text follows it. */
function nodesOf(fixed: readonly string[]): Node[] {
  const nodes: Node[] = [];
  const open: Node[] = [];
  for (const text of fixed) {
    while (open.length > 0 && !text.startsWith(open.at(-1)?.fixed ?? '')) close(open, nodes.length);
    const node: Node = { fixed: text, parent: open.at(-1), end: 0 };
    nodes.push(node);
    open.push(node);
  }
  while (open.length > 0) close(open, nodes.length);
  return nodes;
}

function close(open: Node[], end: number): void {
  const node = open.pop();
  if (node !== undefined) node.end = end;
}

function overlapping(nodes: readonly Node[], index: number, kind: 'path' | 'glob'): ScopePlace[] {
  const own = nodes[index];
  if (own === undefined) return [];
  const found: (ScopePlace | undefined)[] = [own.path, own.glob];
  for (let above = own.parent; above !== undefined; above = above.parent) {
    found.push(above.glob);
    if (kind === 'glob' || isInside(own.fixed, above.fixed)) found.push(above.path);
  }
  for (const below of nodes.slice(index + 1, own.end)) {
    found.push(below.glob);
    if (kind === 'glob' || isInside(below.fixed, own.fixed)) found.push(below.path);
  }
  return found.filter((place) => place !== undefined);
}

function byCodeUnits(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}
