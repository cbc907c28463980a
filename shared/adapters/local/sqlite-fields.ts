import type { Scalar } from '../../ports/store.ts';

/** A piece of SQL and the values of its question marks, in order. */
export interface Sql {
  text: string;
  values: (string | number | null)[];
}

/** The order in which Firestore sorts values of different types; a filter matches values of its own kind only. */
const KINDS = { null: 0, boolean: 1, number: 2, string: 3, array: 4, object: 5 } as const;
export type Kind = (typeof KINDS)[keyof typeof KINDS];

export function kindOf(value: unknown): Kind {
  if (value === null) return KINDS.null;
  if (Array.isArray(value)) return KINDS.array;
  const type = typeof value;
  return type === 'string' || type === 'number' || type === 'boolean' ? KINDS[type] : KINDS.object;
}

/** SQL from one of SQLite's JSON type names to the kind; NULL where there is no such field. */
export function kindSql(type: string): string {
  return `CASE ${type} WHEN 'null' THEN 0 WHEN 'true' THEN 1 WHEN 'false' THEN 1 WHEN 'integer' THEN 2 WHEN 'real' THEN 2 WHEN 'text' THEN 3 WHEN 'array' THEN 4 WHEN 'object' THEN 5 END`;
}

/** Only such names stand in the text of a statement; any other is a parameter. */
export function isPlainName(name: string): boolean {
  return /^[A-Za-z_][A-Za-z0-9_]{0,63}$/.test(name);
}

/** Kind and comparable value of a top-level field. The texts of plain names are those of the expression indexes. */
export function fieldSql(field: string): { kind: Sql; value: Sql } {
  if (isPlainName(field)) {
    const path = `'$."${field}"'`;
    return {
      kind: { text: kindSql(`json_type(data, ${path})`), values: [] },
      value: { text: `ifnull(json_extract(data, ${path}), 0)`, values: [] },
    };
  }
  return {
    kind: { text: `(SELECT ${kindSql('type')} FROM json_each(data) WHERE key = ?)`, values: [field] },
    value: { text: `(SELECT ifnull(value, 0) FROM json_each(data) WHERE key = ?)`, values: [field] },
  };
}

/**
 * A value to compare with, parsed by SQLite from JSON like the stored one: a bound number is a double, and a stored
 * integer above 2^53 is not always equal to the double that JavaScript printed it from.
 */
export function valueSql(value: unknown): Sql {
  return { text: "ifnull(? ->> '$', 0)", values: [JSON.stringify(value)] };
}

/** Whether an array field that no side table knows contains a value. */
export function containsSql(field: string, value: Scalar): Sql {
  const wanted = valueSql(value);
  return {
    text: `EXISTS (SELECT 1 FROM json_each(data) AS field, json_each(CASE field.type WHEN 'array' THEN field.value ELSE '[]' END) AS item WHERE field.key = ? AND ${kindSql('item.type')} = ? AND ifnull(item.value, 0) = ${wanted.text})`,
    values: [field, kindOf(value), ...wanted.values],
  };
}
