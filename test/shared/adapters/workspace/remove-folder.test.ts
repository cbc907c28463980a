import { describe, expect, it } from '@jest/globals';
import { execFile } from 'node:child_process';
import { chmod, chown, mkdir, mkdtemp, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { removeFolder } from '../../../../shared/adapters/workspace/remove-folder.ts';

const NOBODY = 65534;

describe('removing a folder', () => {
  it('takes read-only folders along, follows no link, and does not mind a missing one', async () => {
    const root = await mkdtemp(join(tmpdir(), 'penstock-remove-'));
    await mkdir(join(root, 'a', 'b', 'c'), { recursive: true });
    await mkdir(join(root, 'kept'));
    await writeFile(join(root, 'kept', 'file'), 'x');
    await writeFile(join(root, 'a', 'b', 'c', 'file'), 'x');
    await symlink(join(root, 'kept'), join(root, 'a', 'link'));
    await chmod(join(root, 'a', 'b', 'c'), 0o500);
    await chmod(join(root, 'a', 'b'), 0o500);
    await removeAsNobody(root);
    expect(await readdir(root)).toEqual(['kept']);
    expect(await readdir(join(root, 'kept'))).toEqual(['file']);
    await removeFolder(join(root, 'missing'));
    await rm(root, { recursive: true });
  });
});

/** Root may remove anything, so as root the removal runs as somebody else. */
async function removeAsNobody(root: string): Promise<void> {
  if (process.getuid?.() !== 0) return removeFolder(join(root, 'a'));
  for (const path of ['.', 'a', 'a/b', 'a/b/c', 'a/b/c/file']) await chown(join(root, path), NOBODY, NOBODY);
  const copy = join(root, 'remove-folder.mjs');
  const source = new URL('../../../../shared/adapters/workspace/remove-folder.ts', import.meta.url);
  const { stripTypeScriptTypes } = await import('node:module');
  const { readFile } = await import('node:fs/promises');
  await writeFile(
    copy,
    `${stripTypeScriptTypes(await readFile(source, 'utf8'))}\nawait removeFolder(process.argv[2]);`,
  );
  await promisify(execFile)('node', [copy, join(root, 'a')], {
    uid: NOBODY,
    gid: NOBODY,
    cwd: root,
    timeout: 10_000,
  });
  await rm(copy);
}
