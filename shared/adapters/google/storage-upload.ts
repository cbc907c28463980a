import type { File } from '@google-cloud/storage';
import { addAbortSignal, type Writable } from 'node:stream';
import { finished } from 'node:stream/promises';
import { PenstockError } from '../../ports/penstock-error.ts';
import { httpStatus } from './google-http-error.ts';
import { callStorage, type StorageCalls } from './storage-call.ts';

/** Name of the custom metadata that says which write made the object. */
export const WRITE_ID = 'penstock-write-id';
/** Of an upload session that is over. */
const SESSION_GONE = [404, 410];

export interface Upload {
  bytes: Uint8Array;
  ifAbsent: boolean;
  contentType: string | undefined;
  writeId: string;
  /** Of the session that an earlier try opened. */
  sessionUri?: string;
}

/** One try. A large upload goes on with its session, of which the server says how much it has. */
export async function uploadOnce(calls: StorageCalls, file: File, upload: Upload): Promise<void> {
  const call = { what: `put of blob ${file.name}`, bytes: upload.bytes.byteLength };
  if (call.bytes < calls.resumableFromBytes) {
    const options = { ...optionsOf(upload), resumable: false };
    return callStorage(calls, call, (signal) =>
      writeAll(file.createWriteStream(options), upload.bytes, signal),
    );
  }
  const isNew = upload.sessionUri === undefined;
  upload.sessionUri ??= await callStorage(calls, { what: call.what }, () => openSession(file, upload));
  const options = {
    uri: upload.sessionUri,
    metadata: { contentLength: call.bytes },
    // Without an offset the library asks for it.
    ...(isNew ? { offset: 0 } : {}),
  };
  return callStorage(calls, call, async (signal) => {
    try {
      await writeAll(file.createWriteStream(options), upload.bytes, signal);
    } catch (error) {
      const cause = withoutSession(error);
      if (!SESSION_GONE.includes(httpStatus(error) ?? 0)) throw cause;
      delete upload.sessionUri;
      const message = `${call.what}: its upload session is over; it is begun again`;
      throw new PenstockError('unavailable', message, { retry: 'later', cause });
    }
  });
}

async function openSession(file: File, upload: Upload): Promise<string> {
  const { metadata, ...options } = optionsOf(upload);
  const [uri] = await file.createResumableUpload({
    ...options,
    metadata: { ...metadata, contentLength: upload.bytes.byteLength },
  });
  return uri;
}

function optionsOf({ writeId, contentType, ifAbsent }: Upload) {
  return {
    metadata: {
      metadata: { [WRITE_ID]: writeId },
      ...(contentType === undefined ? {} : { contentType }),
    },
    ...(ifAbsent ? { preconditionOpts: { ifGenerationMatch: 0 } } : {}),
  };
}

/** In one piece: the library can begin again from any offset only within the piece it was given last. */
async function writeAll(stream: Writable, bytes: Uint8Array, signal: AbortSignal): Promise<void> {
  addAbortSignal(signal, stream);
  stream.end(bytes);
  await finished(stream);
}

/** Whoever has a session's URI may write the object, so no log may show it; the library's errors do. */
function withoutSession(error: unknown): Error {
  const { message, code, status } = error as Error & { code?: unknown; status?: unknown };
  return Object.assign(new Error(message.replace(/upload_id=[^&\s]+/g, 'upload_id=…')), { code, status });
}
