import type { File, Storage } from '@google-cloud/storage';
import type { EventEmitter } from 'node:events';
import { addAbortSignal } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { checkBlobKey, checkBlobPage } from '../../ports/blob-rules.ts';
import type { Blobs } from '../../ports/blobs.ts';
import { callStorage, isMissingObject, repeatedly, type StorageCalls } from './storage-call.ts';
import { putObject } from './storage-put.ts';
import { signObjectUrl } from './storage-signing.ts';

export interface StorageBlobsConfig {
  /** Of `createStorageClient`. */
  storage: Storage;
  bucket: string;
  /** Of one call that moves no content. @default 15000 */
  timeoutMs?: number;
  /** Of one download. @default 60000 */
  downloadTimeoutMs?: number;
  /** Size of an upload from which on it goes on where it broke. @default 5 MiB */
  resumableFromBytes?: number;
  /** Before the second try of what may be repeated. @default 300 */
  pauseMs?: number;
}

const TIMEOUT_MS = 15_000;
const DOWNLOAD_TIMEOUT_MS = 60_000;
const RESUMABLE_FROM_BYTES = 5 * 1024 * 1024;
const PAUSE_MS = 300;
const MAX_LISTENERS = 20;

/** Blobs as objects of one bucket, under the same names. A deletion is not repeated: another writer may have come since. */
export function createStorageBlobs(config: StorageBlobsConfig): Blobs {
  const { storage, bucket, timeoutMs = TIMEOUT_MS, downloadTimeoutMs = DOWNLOAD_TIMEOUT_MS } = config;
  const calls: StorageCalls = {
    bucket,
    timeoutMs,
    resumableFromBytes: config.resumableFromBytes ?? RESUMABLE_FROM_BYTES,
    pauseMs: config.pauseMs ?? PAUSE_MS,
  };
  const objects = storage.bucket(bucket);

  function fileOf(key: string): File {
    checkBlobKey(key);
    return objects.file(key);
  }

  return {
    // oxlint-disable-next-line typescript/require-await
    async put(key, content, { ifAbsent = false, contentType } = {}) {
      const bytes = typeof content === 'string' ? Buffer.from(content) : content;
      return putObject(calls, fileOf(key), { bytes, ifAbsent, contentType });
    },
    async get(key) {
      const file = fileOf(key);
      const patient = { ...calls, timeoutMs: downloadTimeoutMs };
      return repeatedly(patient, () =>
        callStorage(patient, { what: `get of blob ${key}` }, (signal) => download(file, signal)),
      );
    },
    async list(prefix, { limit, cursor }) {
      checkBlobPage(limit);
      const query = {
        prefix,
        maxResults: limit,
        autoPaginate: false,
        fields: 'items(name),nextPageToken',
        ...(cursor === undefined ? {} : { pageToken: cursor }),
      };
      const [files, next] = await repeatedly(calls, () =>
        callStorage(calls, { what: `list of blobs ${prefix}*` }, () => objects.getFiles(query)),
      );
      const pageToken = next?.pageToken;
      const keys = files.map(({ name }) => name);
      return pageToken === undefined ? { keys } : { keys, cursor: pageToken };
    },
    async delete(key) {
      const file = fileOf(key);
      await callStorage(calls, { what: `delete of blob ${key}` }, async () => {
        await file.delete().catch((error: unknown) => {
          if (!isMissingObject(error)) throw error;
        });
      });
    },
    async signUrl(request) {
      return signObjectUrl(calls, fileOf(request.key), request);
    },
  };
}

async function download(file: File, signal: AbortSignal): Promise<Uint8Array | undefined> {
  const stream = addAbortSignal(signal, file.createReadStream());
  // The library hangs eleven on it, and Node would warn of a leak at each download.
  stream.on('response', (response: EventEmitter) => response.setMaxListeners(MAX_LISTENERS));
  try {
    const { buffer: memory, byteOffset, byteLength } = await buffer(stream);
    return new Uint8Array(memory, byteOffset, byteLength);
  } catch (error) {
    if (isMissingObject(error)) return undefined;
    throw error;
  }
}
