import type { DocumentRef, Versioned } from '../../ports/store.ts';
import type { Snapshot } from './firestore-client.ts';
import {
  fromProtoFields,
  toProtoFields,
  type DocumentProto,
  type TimestampProto,
  type ValueProto,
} from './firestore-proto.ts';

/** Begins every field name that is ours: a caller's field of that beginning is escaped, so none can collide. */
const RESERVED = '_penstock';
/** Which write made the document as it is. */
export const WRITE_ID_FIELD = `${RESERVED}WriteId`;
/** The field of the TTL policies. */
export const EXPIRE_AT_FIELD = `${RESERVED}ExpireAt`;
/** A map with this one field stands for JSON that Firestore cannot hold as it is. */
const JSON_FIELD = `${RESERVED}Json`;
const ESCAPE = `${RESERVED}:`;
/** Firestore nests 20 levels; deeper values are carried as JSON text. */
const MAX_LEVELS = 16;

/** A document that is gone, or whose newer content is not ours, has no version that could still hold. */
export const NO_VERSION = 'superseded';

/** Firestore refuses empty names and `__…__`; its library stumbles over `constructor` and the like. */
export function encodeFieldName(name: string): string {
  const isRefused = name === '' || name.startsWith('__') || name in Object.prototype;
  return isRefused || name.startsWith(RESERVED) ? ESCAPE + name : name;
}

function decodeFieldName(name: string): string {
  return name.startsWith(ESCAPE) ? name.slice(ESCAPE.length) : name;
}

/** What a field or a cursor of it holds. An array in an array, and what is very deep, becomes JSON text. */
export function encodeValue(value: unknown, level = 1): unknown {
  if (value === null || typeof value !== 'object') return Object.is(value, -0) ? 0 : value;
  if (level > MAX_LEVELS) return asJson(value);
  if (Array.isArray(value)) {
    return value.map((item: unknown) => (Array.isArray(item) ? asJson(item) : encodeValue(item, level + 1)));
  }
  return encodeFields(value, level + 1);
}

function encodeFields(fields: object, level = 1): object {
  return Object.fromEntries(
    Object.entries(fields).map(([name, child]) => [encodeFieldName(name), encodeValue(child, level)]),
  );
}

function asJson(value: unknown): object {
  return { [JSON_FIELD]: JSON.stringify(value) };
}

function decodeValue(value: unknown): unknown {
  if (value === null || typeof value !== 'object') return value;
  if (Array.isArray(value)) return value.map(decodeValue);
  const json = (value as Record<string, unknown>)[JSON_FIELD];
  return typeof json === 'string' ? (JSON.parse(json) as unknown) : decodeFields(value);
}

/** `fromEntries` defines properties, so that a field `__proto__` is only a field. */
function decodeFields(fields: object): object {
  return Object.fromEntries(
    Object.entries(fields).map(([name, child]) => [decodeFieldName(name), decodeValue(child)]),
  );
}

/** All fields of a document. No two writes of one are equal, by their `writeId`: Firestore would leave the version of an equal one as it is. */
export function newFields(
  data: object,
  writeId: string,
  expireAt: number | undefined,
): Record<string, ValueProto> {
  return {
    ...toProtoFields(encodeFields(data)),
    [WRITE_ID_FIELD]: { stringValue: writeId },
    ...(expireAt === undefined ? {} : { [EXPIRE_AT_FIELD]: { timestampValue: timestamp(expireAt) } }),
  };
}

function timestamp(epochMs: number): TimestampProto {
  const seconds = Math.floor(epochMs / 1_000);
  return { seconds, nanos: Math.round((epochMs - seconds * 1_000) * 1_000_000) };
}

/** Full nanoseconds: a rounded time would not be the precondition that was meant. */
export function encodeVersion(updateTime: TimestampProto | undefined): string {
  if (updateTime === undefined) return NO_VERSION;
  return `${updateTime.seconds}.${String(updateTime.nanos).padStart(9, '0')}`;
}

/** `undefined` for what is no version of this store: it can hold for no document. */
export function decodeVersion(version: string): TimestampProto | undefined {
  const parts = /^(\d{1,12})\.(\d{9})$/.exec(version);
  return parts === null ? undefined : { seconds: Number(parts[1]), nanos: Number(parts[2]) };
}

/** `root` begins the name of every document. */
export function readDocument<T extends object>(root: string, document: DocumentProto): Versioned<T> {
  const path = document.name.slice(root.length + 1);
  const at = path.lastIndexOf('/');
  return {
    ref: { collection: path.slice(0, at), id: path.slice(at + 1) },
    data: ownFields(fromProtoFields(document.fields)) as T,
    version: encodeVersion(document.updateTime),
  };
}

export function readSnapshot<T extends object>(
  ref: DocumentRef<T>,
  { fields, updateTime }: Snapshot,
): Versioned<T> | undefined {
  if (fields === undefined) return undefined;
  return { ref, data: ownFields(fields) as T, version: encodeVersion(updateTime) };
}

function ownFields(fields: object): object {
  const {
    [WRITE_ID_FIELD]: _writeId,
    [EXPIRE_AT_FIELD]: _expireAt,
    ...own
  } = fields as Record<string, unknown>;
  return decodeFields(own);
}
