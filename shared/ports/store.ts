/** Where a document is. `collection` is a path with an odd number of segments, such as `tenants/acme/runs`. */
export interface DocumentRef<T extends object> {
  readonly collection: string;
  readonly id: string;
  /** Type only: what the document holds. Never set. */
  readonly holds?: T;
}

/** A document as it was read. `version` is opaque: good for `ifVersion` and for nothing else. */
export interface Versioned<T extends object> {
  readonly ref: DocumentRef<T>;
  readonly data: T;
  readonly version: string;
}

export type Write =
  | { op: 'create'; ref: DocumentRef<object>; data: object; expireAt?: number }
  | { op: 'set'; ref: DocumentRef<object>; data: object; ifVersion?: string; expireAt?: number }
  | { op: 'delete'; ref: DocumentRef<object>; ifVersion?: string };

/** `versions` stand in the order of the writes; a delete has an empty one. */
export type CommitResult = { outcome: 'committed'; versions: string[] } | { outcome: 'conflict' };

export type Scalar = string | number | boolean | null;
/**
 * Fields are top-level names. A filter matches only a field that is there and holds a value of the same type;
 * `== null` a present null. `in` takes 1 to 30 values; at most one `in` and one `array-contains` stand in a query; null goes with `==` only.
 */
export type Where =
  | { field: string; op: '==' | '<' | '<=' | '>' | '>='; value: Scalar }
  | { field: string; op: 'in'; value: Scalar[] }
  | { field: string; op: 'array-contains'; value: Scalar };

export interface Query<T extends object> {
  /** One collection by path, or every collection of that last name (`group`). */
  from: { collection: string } | { group: string };
  where?: Where[];
  /**
   * A document without the field is left out. Types sort as null, booleans, numbers, strings. Ties are broken by the
   * fields of range filters and then by document path, all in the same direction. @default those, ascending
   */
  orderBy?: { field: keyof T & string; direction?: 'asc' | 'desc' };
  /** At most {@link MAX_PAGE}. */
  limit: number;
  /** `cursor` of the page before, of the same query. */
  cursor?: string;
}
export interface CountQuery extends Pick<Query<object>, 'from' | 'where'> {
  /** Counts no further than this, from 1: whether there is any costs one index entry. @default all of them */
  upTo?: number;
}
export interface SumQuery extends Pick<Query<object>, 'from' | 'where'> {
  /** Top-level; whatever is no number, or is not there, counts 0. */
  field: string;
}

export interface Page<T extends object> {
  documents: Versioned<T>[];
  /** Absent on the last page. */
  cursor?: string;
}

export const MAX_PAGE = 300;
/** A larger document is refused with `too_large`: large content belongs in Blobs. Firestore's own limit is 1 MiB. */
export const MAX_DOCUMENT_BYTES = 100 * 1024;
/** Firestore's limit of writes in one atomic commit. */
export const MAX_COMMIT_WRITES = 500;

/**
 * Typed documents with optimistic versions; each call is durable when it resolves.
 * Documents are plain JSON objects (no `undefined`, dates as epoch milliseconds; at most 100 levels), and come back equal, as a copy. Whatever is not is refused with `invalid`.
 * `expireAt` is epoch milliseconds; an expired document may still be read for a while.
 */
export interface Store {
  get<T extends object>(ref: DocumentRef<T>): Promise<Versioned<T> | undefined>;
  /** In the order asked for; at most {@link MAX_PAGE}. */
  getMany<T extends object>(refs: DocumentRef<T>[]): Promise<(Versioned<T> | undefined)[]>;
  create<T extends object>(
    ref: DocumentRef<T>,
    data: T,
    options?: { expireAt?: number },
  ): Promise<'created' | 'exists'>;
  /**
   * All or nothing. A `create` of what exists, or an `ifVersion` that no longer holds, is a `conflict` and changes nothing.
   * A commit names a document once. One that was applied although its answer was lost is reported as committed (each write carries
   * a `writeId`), except one of nothing but deletes, which leaves no trace: that is a `conflict`.
   */
  commit(writes: Write[]): Promise<CommitResult>;
  query<T extends object>(query: Query<T>): Promise<Page<T>>;
  count(query: CountQuery): Promise<number>;
  sum(query: SumQuery): Promise<number>;
  /**
   * Calls back with the document soon, and then with the newest after changes (`undefined`: deleted or absent), until the
   * returned function is called. Of changes close together only the last may be told.
   */
  watch<T extends object>(
    ref: DocumentRef<T>,
    onChange: (document: Versioned<T> | undefined) => void,
  ): () => void;
  close(): Promise<void>;
}
