/** Firestore's own form of a time, a value and a document, as its library takes and gives them. */
export interface TimestampProto {
  seconds: number | string;
  nanos: number;
}
export type ValueProto =
  | { nullValue: 'NULL_VALUE' }
  | { booleanValue: boolean }
  | { integerValue: number | string }
  | { doubleValue: number }
  | { stringValue: string }
  | { timestampValue: TimestampProto }
  | { referenceValue: string }
  | { arrayValue: { values: ValueProto[] } }
  | { mapValue: { fields: Record<string, ValueProto> } };
export interface DocumentProto {
  name: string;
  fields: Record<string, ValueProto>;
  updateTime?: TimestampProto;
}

/** Of a plain JSON value without arrays in arrays. */
export function toProto(value: unknown): ValueProto {
  switch (typeof value) {
    case 'string':
      return { stringValue: value };
    case 'boolean':
      return { booleanValue: value };
    case 'number':
      return Number.isSafeInteger(value) ? { integerValue: value } : { doubleValue: value };
    default:
      if (value === null || value === undefined) return { nullValue: 'NULL_VALUE' };
      return Array.isArray(value)
        ? { arrayValue: { values: value.map(toProto) } }
        : { mapValue: { fields: toProtoFields(value) } };
  }
}

export function toProtoFields(fields: object): Record<string, ValueProto> {
  return Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, toProto(value)]));
}

export function fromProto(value: ValueProto): unknown {
  if ('stringValue' in value) return value.stringValue;
  if ('integerValue' in value) return Number(value.integerValue);
  if ('booleanValue' in value) return value.booleanValue;
  if ('mapValue' in value) return fromProtoFields(value.mapValue.fields);
  if ('arrayValue' in value) return value.arrayValue.values.map(fromProto);
  if ('doubleValue' in value) return value.doubleValue;
  return null;
}

export function fromProtoFields(fields: Record<string, ValueProto>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, fromProto(value)]));
}
