import { createHash } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PenstockError } from '../../ports/penstock-error.ts';
import { runGit } from '../local/git-command.ts';
import { gitIn, type Workspace } from './workspace.ts';

export function sha256Of(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** Sizes of blobs by object id. */
export async function blobSizes(workspace: Workspace, objectIds: string[]): Promise<Map<string, number>> {
  if (objectIds.length === 0) return new Map();
  const input = `${objectIds.join('\n')}\n`;
  const { stdout } = await runGit(['cat-file', '--batch-check=%(objectname) %(objectsize)'], {
    ...gitIn(workspace),
    input,
  });
  const pairs = stdout
    .toString()
    .trimEnd()
    .split('\n')
    .map((line) => line.split(' '));
  return new Map(pairs.map(([id = '', size]) => [id, Number(size)]));
}

/** Contents of blobs by object id. */
export async function readBlobs(
  workspace: Workspace,
  objectIds: string[],
  maxBytes: number,
): Promise<Map<string, Uint8Array>> {
  const contents = new Map<string, Uint8Array>();
  if (objectIds.length === 0) return contents;
  const options = {
    ...gitIn(workspace),
    input: `${objectIds.join('\n')}\n`,
    maxOutputBytes: maxBytes + objectIds.length * 100,
  };
  const { stdout } = await runGit(['cat-file', '--batch'], options);
  for (let offset = 0; offset < stdout.length;) {
    const headEnd = stdout.indexOf('\n', offset);
    const [id = '', type, size] = stdout.subarray(offset, headEnd).toString().split(' ');
    if (type !== 'blob')
      throw new PenstockError(
        'internal',
        `object ${id} of ${workspace.service} is ${type}, not a file's contents`,
      );
    const end = headEnd + 1 + Number(size);
    contents.set(id, stdout.subarray(headEnd + 1, end));
    offset = end + 1;
  }
  return contents;
}

/** Stores contents, as they are, in the object database; object id by SHA-256. */
export async function writeBlobs(
  workspace: Workspace,
  contents: ReadonlyMap<string, Uint8Array>,
): Promise<Map<string, string>> {
  const names = [...contents.keys()];
  if (names.length === 0) return new Map();
  const folder = await mkdtemp(join(workspace.gitDirectory, 'incoming-'));
  try {
    for (const name of names) await writeFile(join(folder, name), contents.get(name)!);
    const args = ['hash-object', '-w', '--no-filters', '--stdin-paths'];
    const input = names.map((name) => `${join(folder, name)}\n`).join('');
    const ids = (await runGit(args, { ...gitIn(workspace), input })).stdout.toString().trimEnd().split('\n');
    return new Map(names.map((name, index) => [name, ids[index]!]));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
