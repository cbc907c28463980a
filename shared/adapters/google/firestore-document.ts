import {
  FieldPath,
  FieldValue,
  Timestamp,
  type DocumentData,
  type DocumentSnapshot,
} from '@google-cloud/firestore';
import type { Versioned } from '../../ports/store.ts';

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

/** Firestore refuses empty names and `__…__`; its client stumbles over `constructor` and the like in an update. */
export function encodeFieldName(name: string): string {
  const isRefused = name === '' || name.startsWith('__') || name in Object.prototype;
  return isRefused || name.startsWith(RESERVED) ? ESCAPE + name : name;
}

function decodeFieldName(name: string): string {
  return name.startsWith(ESCAPE) ? name.slice(ESCAPE.length) : name;
}

export function encodeFields(data: object): [string, unknown][] {
  return Object.entries(data).map(([name, value]) => [encodeFieldName(name), encodeValue(value, 1)]);
}

/** What a field or a cursor of it holds. An array in an array, and what is very deep, becomes JSON text. */
export function encodeValue(value: unknown, level = 1): unknown {
  if (value === null || typeof value !== 'object') return Object.is(value, -0) ? 0 : value;
  if (level > MAX_LEVELS) return asJson(value);
  if (Array.isArray(value)) {
    return value.map((item: unknown) => (Array.isArray(item) ? asJson(item) : encodeValue(item, level + 1)));
  }
  return Object.fromEntries(
    Object.entries(value).map(([name, child]) => [encodeFieldName(name), encodeValue(child, level + 1)]),
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

/** All fields of a whole new document. */
export function newDocument(data: object, writeId: string, expireAt: number | undefined): DocumentData {
  const document: DocumentData = Object.fromEntries([...encodeFields(data), [WRITE_ID_FIELD, writeId]]);
  if (expireAt !== undefined) document[EXPIRE_AT_FIELD] = Timestamp.fromMillis(expireAt);
  return document;
}

/**
 * Field paths and values that turn the document of that version into another one. Only an update takes a precondition,
 * and an update keeps what it does not name: so a version carries the field names that it was read with.
 */
export function replacement(
  version: FirestoreVersion,
  data: object,
  writeId: string,
  expireAt: number | undefined,
): [FieldPath, unknown][] {
  const fields = new Map(version.fields.map((name): [string, unknown] => [name, FieldValue.delete()]));
  for (const [name, value] of encodeFields(data)) fields.set(name, value);
  fields.set(WRITE_ID_FIELD, writeId);
  fields.set(EXPIRE_AT_FIELD, expireAt === undefined ? FieldValue.delete() : Timestamp.fromMillis(expireAt));
  return [...fields].map(([name, value]) => [new FieldPath(name), value]);
}

export interface FirestoreVersion {
  updateTime: Timestamp;
  /** As stored, without ours. */
  fields: string[];
}

/** Full nanoseconds: a rounded time would not be the precondition that was meant. */
export function encodeVersion(updateTime: Timestamp, fields: string[]): string {
  const names = fields.filter((name) => name !== WRITE_ID_FIELD && name !== EXPIRE_AT_FIELD).toSorted();
  const nanoseconds = String(updateTime.nanoseconds).padStart(9, '0');
  return `${updateTime.seconds}.${nanoseconds}:${names.map(encodeURIComponent).join(',')}`;
}

/** `undefined` for what is no version of this store: it can hold for no document. */
export function decodeVersion(version: string): FirestoreVersion | undefined {
  const parts = /^(\d{1,12})\.(\d{9}):(.*)$/s.exec(version);
  if (parts === null) return undefined;
  const [, seconds, nanoseconds, names = ''] = parts;
  const fields = names === '' ? [] : names.split(',').map(decodeURIComponent);
  return { updateTime: new Timestamp(Number(seconds), Number(nanoseconds)), fields };
}

export function versionOf(snapshot: DocumentSnapshot): string {
  const { updateTime } = snapshot;
  return updateTime === undefined
    ? NO_VERSION
    : encodeVersion(updateTime, Object.keys(snapshot.data() ?? {}));
}

export function readSnapshot<T extends object>(snapshot: DocumentSnapshot): Versioned<T> | undefined {
  const fields = snapshot.data();
  if (fields === undefined) return undefined;
  const { [WRITE_ID_FIELD]: _writeId, [EXPIRE_AT_FIELD]: _expireAt, ...data } = fields;
  return {
    ref: { collection: snapshot.ref.parent.path, id: snapshot.id },
    data: decodeFields(data) as T,
    version: versionOf(snapshot),
  };
}
