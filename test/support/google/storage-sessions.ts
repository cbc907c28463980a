import { randomUUID } from 'node:crypto';
import { jsonAnswer, StorageApiError, UnpublishedShape, type Answer } from './storage-api-error.ts';
import type { NewObject, ObjectResource, ObjectStore } from './storage-objects.ts';
import { BrokenBody, type OperationCall } from './storage-operation.ts';

export interface UploadSessions {
  /** Answers the session's id. */
  open(object: NewObject, declaredBytes: number | undefined): string;
  /** Bytes of the object, or the question how many have come. */
  put(call: OperationCall): Promise<Answer>;
  /** All of them are over, as after a week. */
  expire(): void;
}

interface Session {
  object: NewObject;
  declaredBytes: number | undefined;
  received: Buffer;
  finished?: ObjectResource;
}

/** Of what comes before a broken connection or the last request, whole pieces of this size are kept. */
const PIECE_BYTES = 256 * 1024;
const CONTENT_RANGE = /^bytes (?:\*|(\d+)-(\d+|\*))\/(\d+|\*)$/;

/** Resumable uploads (https://cloud.google.com/storage/docs/performing-resumable-uploads). */
export function openUploadSessions(objects: ObjectStore): UploadSessions {
  const sessions = new Map<string, Session | 'over'>();

  function find(id: string): Session {
    const session = sessions.get(id);
    if (session === undefined) throw new StorageApiError(404, 'No such upload session.');
    if (session === 'over') throw new StorageApiError(410, 'The upload session is over.');
    return session;
  }

  return {
    open(object, declaredBytes) {
      objects.checkGeneration(object);
      const id = randomUUID();
      sessions.set(id, { object, declaredBytes, received: Buffer.alloc(0) });
      return id;
    },
    async put(call) {
      const session = find(call.query.get('upload_id') ?? '');
      const range = readRange(call.headers['content-range']);
      const bytes = await readPart(call, (part) => keep(session, range, wholePieces(part)));
      if (session.finished !== undefined) return jsonAnswer(session.finished);
      if (range.first === undefined) {
        if (bytes.byteLength > 0) throw new UnpublishedShape(400, 'A status request has no body.');
        return incomplete(session);
      }
      const isLast = keep(session, range, bytes);
      if (!isLast) {
        if (bytes.byteLength % PIECE_BYTES === 0) return incomplete(session);
        throw new UnpublishedShape(400, `Every request but the last has multiples of ${PIECE_BYTES} bytes.`);
      }
      checkLength(session);
      const crc32c = /crc32c=([^,]+)/.exec(String(call.headers['x-goog-hash']))?.[1];
      session.finished = await objects.insert({ ...session.object, crc32c }, session.received);
      session.received = Buffer.alloc(0);
      return jsonAnswer(session.finished);
    },
    expire() {
      for (const id of sessions.keys()) sessions.set(id, 'over');
    },
  };
}

async function readPart(call: OperationCall, onBreak: (part: Buffer) => void): Promise<Buffer> {
  try {
    return await call.readBody();
  } catch (error) {
    if (error instanceof BrokenBody) onBreak(error.received);
    throw error;
  }
}

interface Range {
  /** Absent: only how many bytes have come is asked for. */
  first?: number;
  last?: number;
  total?: number;
}

function readRange(header: string | undefined): Range {
  if (header === undefined) return { first: 0 };
  const parts = CONTENT_RANGE.exec(header);
  if (parts === null) throw new UnpublishedShape(400, `Failed to parse Content-Range header ${header}.`);
  const [first, last, total] = parts.slice(1).map((part) => (part === '*' ? undefined : part));
  return {
    ...(first === undefined ? {} : { first: Number(first) }),
    ...(last === undefined ? {} : { last: Number(last) }),
    ...(total === undefined ? {} : { total: Number(total) }),
  };
}

/** What came already is not kept twice. Answers whether these are the last bytes. */
function keep(session: Session, { first = 0, last, total }: Range, bytes: Buffer): boolean {
  const had = session.received.byteLength;
  if (first > had) {
    const message = `According to the Content-Range header, the upload offset is ${first} byte(s), which exceeds already uploaded size of ${had} byte(s).`;
    throw new UnpublishedShape(400, `Invalid request. ${message}`);
  }
  if (last !== undefined && last - first + 1 !== bytes.byteLength) {
    throw new UnpublishedShape(400, `Content-Range says ${first}-${last}; ${bytes.byteLength} bytes came.`);
  }
  session.received = Buffer.concat([session.received, bytes.subarray(had - first)]);
  return total === undefined ? last === undefined : session.received.byteLength >= total;
}

function wholePieces(part: Buffer): Buffer {
  return part.subarray(0, part.byteLength - (part.byteLength % PIECE_BYTES));
}

function incomplete({ received: { byteLength } }: Session): Answer {
  return { status: 308, headers: byteLength === 0 ? {} : { range: `bytes=0-${byteLength - 1}` } };
}

function checkLength({ received, declaredBytes }: Session): void {
  if (declaredBytes === undefined || declaredBytes === received.byteLength) return;
  const message = `Upload has ${received.byteLength} bytes, X-Upload-Content-Length said ${declaredBytes}.`;
  throw new UnpublishedShape(400, message);
}
