import type { Value } from '../values.ts';

export type BinaryOperator =
  'or' | 'and' | '<' | '<=' | '>' | '>=' | '==' | '!=' | 'in' | '+' | '-' | '*' | '/' | '//' | '%';

/** An expression as parsed. Offsets point at what the node is named by: an operator, a name, a bracket. */
export type Node =
  | { readonly kind: 'literal'; readonly value: Value; readonly offset: number }
  | { readonly kind: 'name'; readonly name: string; readonly offset: number }
  | { readonly kind: 'list'; readonly items: readonly Node[]; readonly offset: number }
  | { readonly kind: 'map'; readonly entries: readonly (readonly [Node, Node])[]; readonly offset: number }
  /** `object.member` */
  | { readonly kind: 'member'; readonly object: Node; readonly member: string; readonly offset: number }
  /** `object[key]` */
  | { readonly kind: 'index'; readonly object: Node; readonly key: Node; readonly offset: number }
  | { readonly kind: 'call'; readonly name: string; readonly args: readonly Node[]; readonly offset: number }
  | {
      readonly kind: 'unary';
      readonly operator: 'not' | '-';
      readonly operand: Node;
      readonly offset: number;
    }
  | {
      readonly kind: 'binary';
      readonly operator: BinaryOperator;
      readonly left: Node;
      readonly right: Node;
      readonly offset: number;
    };

/** `a.b.c` when the node is names joined by dots, which may name a function or a value of the library. */
export function dottedName(node: Node): string | undefined {
  if (node.kind === 'name') return node.name;
  if (node.kind !== 'member') return undefined;
  const object = dottedName(node.object);
  return object === undefined ? undefined : `${object}.${node.member}`;
}

/** Where the node's source begins. */
export function startOf(node: Node): number {
  if (node.kind === 'member' || node.kind === 'index') return startOf(node.object);
  return node.kind === 'binary' ? startOf(node.left) : node.offset;
}
