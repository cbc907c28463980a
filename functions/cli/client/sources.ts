import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { CliConfig } from '../../../shared/runtime/cli-config.ts';
import type { ApiClient } from './api-client.ts';
import { createHttpClient } from './http-client.ts';

export const DEFAULT_URL = 'http://127.0.0.1:8080';
const PROBE_TIMEOUT_MS = 1_500;
/** The newest data folders that are searched for a run. */
const MAX_FOLDERS = 30;

/** Somewhere runs are: a server that works on them, or a data folder that is only read. */
export interface Source {
  kind: 'server' | 'folder';
  /** URL or path. */
  name: string;
  /** Where the runs of a server are that ends with this process. */
  folder?: string;
  client: ApiClient;
  close(): Promise<void>;
}

type Address = Pick<CliConfig, 'url' | 'token' | 'dataFolder'>;

/** The server that was named, without asking it; otherwise the one at the default address, if Penstock answers there. */
export async function findServer(address: Address): Promise<Source | undefined> {
  const url = address.url ?? DEFAULT_URL;
  const source = serverSource(url, address.token);
  if (address.url !== undefined) return source;
  return (await isPenstock(source.client)) ? source : undefined;
}

export function serverSource(url: string, token?: string): Source {
  return {
    kind: 'server',
    name: url,
    client: createHttpClient({ url, token }),
    close: () => Promise.resolve(),
  };
}

/** Some other program may listen at the default address; only an answer in our own form counts. */
async function isPenstock(client: ApiClient): Promise<boolean> {
  try {
    const response = await client.request('/api/runs?limit=1', {
      signal: AbortSignal.timeout(PROBE_TIMEOUT_MS),
    });
    if (response.headers.get('content-type')?.startsWith('application/problem+json') === true) return true;
    const body = (await response.json()) as { items?: unknown };
    return response.ok && Array.isArray(body.items);
  } catch {
    return false;
  }
}

/** Folders that hold a database, the newest first: the data folder itself and those directly in it. */
export async function dataFolders(root: string): Promise<string[]> {
  const names = await readdir(root).catch(() => []);
  const candidates = await Promise.all([root, ...names.map((name) => join(root, name))].map(changedAt));
  const found = candidates.flatMap((candidate) => candidate ?? []);
  return found
    .toSorted((a, b) => b.at - a.at)
    .slice(0, MAX_FOLDERS)
    .map(({ folder }) => folder);
}

async function changedAt(folder: string): Promise<{ folder: string; at: number } | undefined> {
  try {
    return { folder, at: (await stat(join(folder, 'penstock.db'))).mtimeMs };
  } catch {
    return undefined;
  }
}

/** A data folder: through the platform that has it, where one does, otherwise read in this process. */
export async function openFolder(folder: string, token?: string): Promise<Source> {
  const { readHost } = await import('../../local/data-lock.ts');
  const url = readHost(folder)?.url;
  if (url !== undefined) return serverSource(url, token);
  const { openLocalReader } = await import('../../local/reader.ts');
  const reader = await openLocalReader({ data: folder });
  return {
    kind: 'folder',
    name: folder,
    client: { request: (path, init) => reader.request(path, init) },
    close: async () => {
      await reader.close();
    },
  };
}
