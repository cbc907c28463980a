import { randomUUID } from 'node:crypto';
import { checkWrites, encodeDocument } from '../../ports/store-rules.ts';
import type { CommitResult, DocumentRef, Write } from '../../ports/store.ts';
import type { FirestoreClient, Precondition, WriteProto } from './firestore-client.ts';
import { decodeVersion, encodeVersion, newFields, NO_VERSION, WRITE_ID_FIELD } from './firestore-document.ts';
import type { TimestampProto } from './firestore-proto.ts';
import { grpcCode } from './google-call.ts';

/** NOT_FOUND, ALREADY_EXISTS, FAILED_PRECONDITION: what a precondition that does not hold comes back as. */
const PRECONDITION_CODES = [5, 6, 9];
/** INVALID_ARGUMENT, PERMISSION_DENIED, UNAUTHENTICATED: certainly not applied. */
const REFUSAL_CODES = [3, 7, 16];

/** Some writes on their way: the same each time they are sent, their `writeId` included. */
export interface Commit {
  /** What it is, for a message. */
  name: string;
  writes: Write[];
  writeId: string;
  /** `undefined`: a version is none of this store, so it cannot hold. */
  request: WriteProto[] | undefined;
}

/** Checks all of the writes before any answer: what is invalid is refused also beside a version that cannot hold. */
export function prepareCommit(root: string, writes: Write[]): Commit {
  checkWrites(writes);
  const writeId = randomUUID();
  const request = writes.map((write) => writeProto(root, write, writeId));
  const isPossible = request.every((write) => write !== undefined);
  return { name: nameOf(writes), writes, writeId, request: isPossible ? request : undefined };
}

/**
 * Sends it once. An answer may get lost and the commit be sent again, which then hears that its own document exists, or has
 * changed: so each write carries the `writeId`, by which an applied commit is recognised. A commit of nothing but deletes
 * leaves no trace: there such a repeat is a `conflict`. Throws the library's error.
 */
export async function sendCommit(
  client: FirestoreClient,
  commit: Commit,
  signal: AbortSignal,
): Promise<CommitResult> {
  const { writes, request } = commit;
  if (request === undefined) return { outcome: 'conflict' };
  try {
    const times = await client.commit(request, signal);
    return { outcome: 'committed', versions: writes.map((write, at) => versionAfter(write, times[at])) };
  } catch (error) {
    const code = grpcCode(error) ?? -1;
    if (!writes.some(isConditional) || REFUSAL_CODES.includes(code)) throw error;
    const applied = await findApplied(client, commit, signal);
    if (applied !== undefined) return applied;
    if (PRECONDITION_CODES.includes(code)) return { outcome: 'conflict' };
    throw error;
  }
}

/**
 * The result, when one of the documents carries the `writeId`: the commit is atomic, so one proves all. Where there is no database
 * at all it throws that, which the commit's own answer does not tell from a document that is not there.
 */
async function findApplied(
  client: FirestoreClient,
  { writes, writeId }: Commit,
  signal: AbortSignal,
): Promise<CommitResult | undefined> {
  const names = writes.map(({ ref }) => documentName(client.root, ref));
  const found = await client.getDocuments(names, signal);
  const ours = new Map(
    found.flatMap(({ name, fields, updateTime }) => {
      const mark = fields[WRITE_ID_FIELD];
      const isOurs = mark !== undefined && 'stringValue' in mark && mark.stringValue === writeId;
      return isOurs ? [[name, encodeVersion(updateTime)]] : [];
    }),
  );
  if (ours.size === 0) return undefined;
  const versions = writes.map(({ op }, at) =>
    op === 'delete' ? '' : (ours.get(names[at] ?? '') ?? NO_VERSION),
  );
  return { outcome: 'committed', versions };
}

export function documentName(root: string, { collection, id }: DocumentRef<object>): string {
  return `${root}/${collection}/${id}`;
}

/** A `set` without a mask replaces the whole document. */
function writeProto(root: string, write: Write, writeId: string): WriteProto | undefined {
  const name = documentName(root, write.ref);
  if (write.op !== 'delete') encodeDocument(write.ref, write.data);
  const condition = conditionOf(write);
  if (condition === 'cannot hold') return undefined;
  const currentDocument = condition === undefined ? {} : { currentDocument: condition };
  if (write.op === 'delete') return { delete: name, ...currentDocument };
  const fields = newFields(write.data, writeId, write.expireAt);
  return { update: { name, fields }, ...currentDocument };
}

function conditionOf(write: Write): Precondition | undefined | 'cannot hold' {
  if (write.op === 'create') return { exists: false };
  if (write.ifVersion === undefined) return undefined;
  const updateTime = decodeVersion(write.ifVersion);
  return updateTime === undefined ? 'cannot hold' : { updateTime };
}

function versionAfter(write: Write, time: TimestampProto | undefined): string {
  return write.op === 'delete' ? '' : encodeVersion(time);
}

function isConditional(write: Write): boolean {
  return write.op === 'create' || write.ifVersion !== undefined;
}

function nameOf(writes: Write[]): string {
  const [first] = writes;
  const others = writes.length > 1 ? ` and ${writes.length - 1} more` : '';
  return `commit of ${first?.ref.collection}/${first?.ref.id}${others}`;
}
