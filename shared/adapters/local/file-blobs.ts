import { randomUUID } from 'node:crypto';
import { link, mkdir, open, readdir, readFile, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { checkBlobKey, checkBlobPage, checkSignedUrlRequest } from '../../ports/blob-rules.ts';
import type { Blobs } from '../../ports/blobs.ts';
import type { Clock } from '../../ports/clock.ts';
import { signBlobUrl } from './signed-url.ts';

export interface FileBlobsConfig {
  directory: string;
  /** Of the host that serves `/blobs/…` and checks the URLs with `verifySignedUrl`. */
  baseUrl: string;
  secret: string;
  clock: Clock;
}

/** No key has such a character, so a folder never takes the name of a blob: `a` and `a/b` may both be there. */
const FOLDER_MARK = '~';
const INCOMING = '+incoming';

/** Blobs as files. The content type is not kept: who serves them goes by the name. */
export function createFileBlobs(config: FileBlobsConfig): Blobs {
  const { directory, baseUrl, secret, clock } = config;

  function fileOf(key: string): string {
    checkBlobKey(key);
    const segments = key.split('/');
    return join(
      directory,
      ...segments.slice(0, -1).map((segment) => segment + FOLDER_MARK),
      segments.at(-1) ?? '',
    );
  }

  return {
    async put(key, bytes, { ifAbsent = false } = {}) {
      const file = fileOf(key);
      const incoming = await writeIncoming(directory, bytes);
      try {
        await mkdir(dirname(file), { recursive: true });
        if (!ifAbsent) await rename(incoming, file);
        else if (!(await linkNew(incoming, file))) return 'exists';
        return 'stored';
      } finally {
        await rm(incoming, { force: true });
      }
    },
    async get(key) {
      const file = fileOf(key);
      try {
        return new Uint8Array(await readFile(file));
      } catch (error) {
        return ifMissing(error, undefined);
      }
    },
    async list(prefix, { limit, cursor = '' }) {
      checkBlobPage(limit);
      const keys: string[] = [];
      for await (const key of keysUnder(directory, '', { prefix, after: cursor })) {
        keys.push(key);
        if (keys.length > limit) break;
      }
      const last = keys[limit - 1];
      return keys.length > limit && last !== undefined
        ? { keys: keys.slice(0, limit), cursor: last }
        : { keys };
    },
    async delete(key) {
      await rm(fileOf(key), { force: true });
    },
    // oxlint-disable-next-line typescript/require-await
    async signUrl(request) {
      checkSignedUrlRequest(request);
      const { key, method, expiresInMs } = request;
      return signBlobUrl({ baseUrl, secret, key, method, expiresAt: Math.ceil(clock.now() + expiresInMs) });
    },
  };
}

/** On disk before it gets its name, so that a name never stands for half a file. */
async function writeIncoming(directory: string, bytes: Uint8Array | string): Promise<string> {
  await mkdir(join(directory, INCOMING), { recursive: true });
  const incoming = join(directory, INCOMING, randomUUID());
  const handle = await open(incoming, 'wx');
  try {
    await handle.writeFile(bytes);
    await handle.sync();
  } finally {
    await handle.close();
  }
  return incoming;
}

async function linkNew(incoming: string, file: string): Promise<boolean> {
  try {
    await link(incoming, file);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

/** In ascending order of the whole keys; folders that cannot hold a wanted one are not opened. */
async function* keysUnder(
  folder: string,
  base: string,
  wanted: { prefix: string; after: string },
): AsyncGenerator<string> {
  const entries = await readdir(folder, { withFileTypes: true }).catch((error: unknown) =>
    ifMissing(error, []),
  );
  const names = entries.flatMap((entry) => {
    if (!entry.isDirectory()) return [base + entry.name];
    return entry.name.endsWith(FOLDER_MARK) ? [`${base}${entry.name.slice(0, -1)}/`] : [];
  });
  for (const name of names.toSorted(compare)) {
    const isFolder = name.endsWith('/');
    const mayMatch = isFolder
      ? name.startsWith(wanted.prefix) || wanted.prefix.startsWith(name)
      : name.startsWith(wanted.prefix);
    if (!mayMatch) continue;
    if (!isFolder && name > wanted.after) yield name;
    const isPassed = name < wanted.after && !wanted.after.startsWith(name);
    if (isFolder && !isPassed) {
      yield* keysUnder(join(folder, name.slice(base.length, -1) + FOLDER_MARK), name, wanted);
    }
  }
}

/** Keys are ASCII, so this is byte order. */
function compare(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

function ifMissing<T>(error: unknown, otherwise: T): T {
  const code = (error as NodeJS.ErrnoException).code;
  if (code === 'ENOENT' || code === 'ENOTDIR') return otherwise;
  throw error;
}
