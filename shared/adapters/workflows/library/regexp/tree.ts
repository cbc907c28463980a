/** Whether a code point is one of a set. */
export type Test = (point: number) => boolean;

export type Assertion = 'textStart' | 'textEnd' | 'lineStart' | 'lineEnd' | 'wordEdge' | 'noWordEdge';

/** A regular expression as parsed. Groups leave no trace: nothing can refer back to what they matched. */
export type RegexpNode =
  | { readonly kind: 'empty' }
  | { readonly kind: 'one'; readonly test: Test }
  | { readonly kind: 'assert'; readonly assertion: Assertion }
  | { readonly kind: 'sequence'; readonly items: readonly RegexpNode[] }
  | { readonly kind: 'choice'; readonly items: readonly RegexpNode[] }
  | { readonly kind: 'repeat'; readonly item: RegexpNode; readonly least: number; readonly most: number };

export function isWordPoint(point: number): boolean {
  return isBetween(point, 'az') || isBetween(point, 'AZ') || isBetween(point, '09') || point === 0x5f;
}

function isBetween(point: number, range: string): boolean {
  return point >= range.charCodeAt(0) && point <= range.charCodeAt(1);
}
