import { randomUUID } from 'node:crypto';
import type { DocumentReference, Firestore, WriteBatch, WriteResult } from '@google-cloud/firestore';
import { PenstockError } from '../../ports/penstock-error.ts';
import { checkWrites, encodeDocument } from '../../ports/store-rules.ts';
import type { CommitResult, DocumentRef, Write } from '../../ports/store.ts';
import {
  decodeVersion,
  encodeFields,
  encodeVersion,
  newDocument,
  NO_VERSION,
  replacement,
  versionOf,
  WRITE_ID_FIELD,
} from './firestore-document.ts';
import { grpcCode } from './google-call.ts';

/** One call with its deadline and its errors translated. */
export type Call = <T>(what: string, work: () => Promise<T>) => Promise<T>;

/** NOT_FOUND, ALREADY_EXISTS, FAILED_PRECONDITION: what a precondition that does not hold comes back as. */
const PRECONDITION_CODES = [5, 6, 9];
/** UNKNOWN, ABORTED, INTERNAL, UNAVAILABLE: worth one more try at once. */
const PASSING_CODES = [2, 10, 13, 14];
/** INVALID_ARGUMENT, PERMISSION_DENIED, UNAUTHENTICATED: certainly not applied. */
const REFUSAL_CODES = [3, 7, 16];

/**
 * All writes in one batch. The client library repeats a commit whose answer got lost and then hears that its own document
 * exists, or has changed: so each write carries a `writeId`, by which an applied commit is recognised. A commit of nothing
 * but deletes leaves no trace: there such a repeat is a `conflict`.
 */
export async function commitWrites(firestore: Firestore, call: Call, writes: Write[]): Promise<CommitResult> {
  checkWrites(writes);
  const writeId = randomUUID();
  try {
    return await commitOnce(firestore, call, { writes, writeId });
  } catch (error) {
    if (!(error instanceof PenstockError) || !PASSING_CODES.includes(grpcCode(error.cause) ?? -1))
      throw error;
    // Not applied, or so the records say; by the same `writeId` a repeat is still recognised.
    return commitOnce(firestore, call, { writes, writeId });
  }
}

async function commitOnce(
  firestore: Firestore,
  call: Call,
  { writes, writeId }: { writes: Write[]; writeId: string },
): Promise<CommitResult> {
  const batch = firestore.batch();
  // All of them before any answer: what is invalid is refused also beside a version that cannot hold.
  const fits = writes.map((write) => addWrite(batch, documentOf(firestore, write.ref), write, writeId));
  if (fits.includes(false)) return { outcome: 'conflict' };
  try {
    const results = await call(nameOf(writes), () => batch.commit());
    return { outcome: 'committed', versions: writes.map((write, at) => versionAfter(write, results[at])) };
  } catch (error) {
    // `call` throws nothing else.
    const failure = error as PenstockError;
    const code = grpcCode(failure.cause);
    if (!writes.some(isConditional) || REFUSAL_CODES.includes(code ?? -1)) throw failure;
    const applied = await findApplied(firestore, call, { writes, writeId });
    if (applied !== undefined) return applied;
    if (PRECONDITION_CODES.includes(code ?? -1)) return { outcome: 'conflict' };
    throw failure;
  }
}

export function documentOf(firestore: Firestore, { collection, id }: DocumentRef<object>): DocumentReference {
  return firestore.collection(collection).doc(id);
}

/** The result, when one of the documents carries the `writeId`: the commit is atomic, so one proves all. */
async function findApplied(
  firestore: Firestore,
  call: Call,
  { writes, writeId }: { writes: Write[]; writeId: string },
): Promise<CommitResult | undefined> {
  const written = writes.filter(({ op }) => op !== 'delete');
  if (written.length === 0) return undefined;
  const snapshots = await call(`re-read after ${nameOf(writes)}`, () =>
    firestore.getAll(...written.map(({ ref }) => documentOf(firestore, ref))),
  );
  const ours = new Map(
    snapshots
      .filter((snapshot) => snapshot.get(WRITE_ID_FIELD) === writeId)
      .map((snapshot) => [snapshot.ref.path, versionOf(snapshot)]),
  );
  if (ours.size === 0) return undefined;
  const versions = writes.map(({ op, ref }) =>
    op === 'delete' ? '' : (ours.get(`${ref.collection}/${ref.id}`) ?? NO_VERSION),
  );
  return { outcome: 'committed', versions };
}

/** `false`: the version is none of this store, so it cannot hold. */
function addWrite(batch: WriteBatch, document: DocumentReference, write: Write, writeId: string): boolean {
  if (write.op !== 'delete') encodeDocument(write.ref, write.data);
  if (write.op === 'create') {
    batch.create(document, newDocument(write.data, writeId, write.expireAt));
    return true;
  }
  if (write.ifVersion === undefined) {
    if (write.op === 'delete') batch.delete(document);
    else batch.set(document, newDocument(write.data, writeId, write.expireAt));
    return true;
  }
  const version = decodeVersion(write.ifVersion);
  if (version === undefined) return false;
  const precondition = { lastUpdateTime: version.updateTime };
  if (write.op === 'delete') {
    batch.delete(document, precondition);
    return true;
  }
  const [first, ...others] = replacement(version, write.data, writeId, write.expireAt);
  if (first !== undefined) batch.update(document, ...first, ...others.flat(), precondition);
  return true;
}

function versionAfter(write: Write, result: WriteResult | undefined): string {
  if (write.op === 'delete' || result === undefined) return '';
  const fields = encodeFields(write.data).map(([name]) => name);
  return encodeVersion(result.writeTime, fields);
}

function isConditional(write: Write): boolean {
  return write.op === 'create' || write.ifVersion !== undefined;
}

function nameOf(writes: Write[]): string {
  const [first] = writes;
  const others = writes.length > 1 ? ` and ${writes.length - 1} more` : '';
  return `commit of ${first?.ref.collection}/${first?.ref.id}${others}`;
}
