import { execFile } from 'node:child_process';
import { rmSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { buildDeployables } from '../../../functions/build/build-deployables.ts';
import { installPackages } from '../../support/built/install-packages.ts';

export interface InstalledFunctions {
  names: string[];
  folderOf(name: string): string;
  /** Of a function that answers hello and is nothing but the framework. */
  bare: string;
  remove(): void;
}

const HELLO = `import { http } from '@google-cloud/functions-framework';
http('hello', (_, response) => response.send('hello'));
`;

/** Every function as Google's builder leaves it: built, its packages installed, baked; and the bare framework, installed the same way. */
export async function installFunctions(): Promise<InstalledFunctions> {
  const root = fileURLToPath(new URL('../../..', import.meta.url));
  const folder = await mkdtemp(join(tmpdir(), 'penstock-cold-'));
  const remove = (): void => rmSync(folder, { recursive: true, force: true });
  // Also when it is interrupted.
  process.once('exit', remove);
  try {
    const functions = (await buildDeployables(root, folder)).filter(({ kind }) => kind === 'function');
    const bare = join(folder, 'bare');
    await writeHello(bare, functions[0]?.folder ?? '');
    await installPackages([bare, ...functions.map((built) => built.folder)]);
    for (const built of functions)
      await promisify(execFile)('npm', ['run', 'gcp-build'], { cwd: built.folder });
    return { names: functions.map(({ name }) => name), folderOf: (name) => join(folder, name), bare, remove };
  } catch (error) {
    remove();
    throw error;
  }
}

/** With the same packages as `like`. */
async function writeHello(folder: string, like: string): Promise<void> {
  await mkdir(folder);
  const manifest = JSON.parse(await readFile(join(like, 'package.json'), 'utf8')) as object;
  const scripts = { start: 'functions-framework --target=hello' };
  await writeFile(join(folder, 'package.json'), JSON.stringify({ ...manifest, main: 'index.js', scripts }));
  await writeFile(join(folder, 'package-lock.json'), await readFile(join(like, 'package-lock.json')));
  await writeFile(join(folder, 'index.js'), HELLO);
}
