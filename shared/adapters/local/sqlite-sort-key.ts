/** First character of a key. Kinds stand in Firestore's order; a filter matches values of its own kind only. */
const KINDS = { null: '1', boolean: '2', number: '3', string: '4', array: '5', object: '6' } as const;

const view = new DataView(new ArrayBuffer(8));

/**
 * A value as text that sorts, by bytes, as Firestore sorts the values; `null` for a field that is not there.
 * Equal keys are equal values, but for arrays and objects, which no filter looks for.
 */
export function sortKey(value: unknown): string | null {
  switch (typeof value) {
    case 'string':
      return KINDS.string + value;
    case 'number':
      return KINDS.number + numberKey(value);
    case 'boolean':
      return KINDS.boolean + (value ? 't' : 'f');
    case 'undefined':
      return null;
    default:
      if (value === null) return KINDS.null;
      return Array.isArray(value) ? KINDS.array : KINDS.object;
  }
}

/** All keys of the same kind are from the first of these on, and before the second. */
export function kindBounds(key: string): [string, string] {
  const first = key.charAt(0);
  return [first, String.fromCharCode(first.charCodeAt(0) + 1)];
}

/** Of each scalar in an array, once. */
export function itemKeys(value: unknown): string[] {
  if (!Array.isArray(value)) return [];
  const scalars = value.filter((item) => item === null || typeof item !== 'object');
  return [...new Set(scalars.map((item) => sortKey(item) ?? ''))];
}

/** The bits of a double sort like the numbers when those of a negative one are turned over. */
function numberKey(value: number): string {
  // No JSON tells -0 from 0.
  view.setFloat64(0, value === 0 ? 0 : value);
  const high = view.getUint32(0);
  const low = view.getUint32(4);
  const isNegative = high >= 2 ** 31;
  return isNegative ? hex(~high) + hex(~low) : hex(high | (2 ** 31)) + hex(low);
}

function hex(bits: number): string {
  return (bits >>> 0).toString(16).padStart(8, '0');
}
