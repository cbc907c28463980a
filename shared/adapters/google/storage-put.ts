import type { File } from '@google-cloud/storage';
import { randomUUID } from 'node:crypto';
import { PenstockError, type ErrorCode } from '../../ports/penstock-error.ts';
import { httpStatus } from './google-http-error.ts';
import {
  callStorage,
  deadlineFor,
  isMissingObject,
  newPatience,
  repeatedly,
  type StorageCalls,
} from './storage-call.ts';
import { uploadOnce, WRITE_ID, type Upload } from './storage-upload.ts';

/** Certainly not applied, and no other try will be. */
const REFUSALS: ErrorCode[] = ['invalid', 'unauthenticated', 'forbidden', 'config', 'too_large'];
const PRECONDITION_FAILED = 412;

export interface Content {
  bytes: Uint8Array;
  ifAbsent: boolean;
  contentType: string | undefined;
}

/**
 * Each write carries a `writeId` in the object's metadata: after any failure the object tells whether it was applied, so
 * that no repeat is blind. Of unconditional writers at the same time, any may be the last.
 */
export async function putObject(
  calls: StorageCalls,
  file: File,
  content: Content,
): Promise<'stored' | 'exists'> {
  const upload: Upload = { ...content, writeId: randomUUID() };
  const patience = newPatience(calls, deadlineFor(calls, content.bytes.byteLength));
  for (;;) {
    const failure = await failureOf(uploadOnce(calls, file, upload));
    if (failure === undefined) return 'stored';
    if (REFUSALS.includes(failure.code)) throw failure;
    const found = await findWriteId(calls, file);
    if (found === upload.writeId) return 'stored';
    if (content.ifAbsent && found !== undefined) return 'exists';
    // A precondition that failed where now nothing is: it was deleted since.
    const isPassing = failure.retry === 'later' || httpStatus(failure.cause) === PRECONDITION_FAILED;
    if (!isPassing || !(await patience.lasts())) throw failure;
  }
}

async function failureOf(work: Promise<void>): Promise<PenstockError | undefined> {
  try {
    await work;
    return undefined;
  } catch (error) {
    if (error instanceof PenstockError) return error;
    throw error;
  }
}

/** Of the object as it is now: '' where another writer keeps none, such as who has a signed URL. */
async function findWriteId(calls: StorageCalls, file: File): Promise<string | undefined> {
  const look = async () => {
    try {
      const [{ metadata }] = await file.getMetadata();
      return String(metadata?.[WRITE_ID] ?? '');
    } catch (error) {
      if (isMissingObject(error)) return undefined;
      throw error;
    }
  };
  return repeatedly(calls, () => callStorage(calls, { what: `look at blob ${file.name} after a put` }, look));
}
