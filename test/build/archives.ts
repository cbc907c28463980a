import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildDeployables, type Deployable } from '../../functions/build/build-deployables.ts';
import { installPackages, RegistryUnreachable } from '../support/built/install-packages.ts';
import { readZip } from './read-zip.ts';

export interface Archive {
  name: string;
  sha256: string;
  files: Map<string, Buffer>;
  /** Where it is unpacked, with its packages. */
  folder: string;
}

export interface BuiltProject {
  root: string;
  archives: Archive[];
  images: Deployable[];
  /** Built once more, into another folder. */
  again: Deployable[];
  /** Why the archives have no packages, if they have none. */
  whyNotInstalled: string | undefined;
  remove(): Promise<void>;
}

/** Everything that is deployed, built once, each archive unpacked into an empty folder and its packages installed. */
export async function buildProject(): Promise<BuiltProject> {
  const root = fileURLToPath(new URL('../..', import.meta.url));
  const folder = await mkdtemp(join(tmpdir(), 'penstock-built-'));
  const deployables = await buildDeployables(root, join(folder, 'dist'));
  const archives: Archive[] = [];
  for (const { name, archive } of deployables) {
    if (archive === undefined) continue;
    const files = readZip(await readFile(archive.file));
    const unpacked = { name, sha256: archive.sha256, files, folder: join(folder, 'installed', name) };
    await unpack(unpacked);
    archives.push(unpacked);
  }
  const [again, whyNotInstalled] = await Promise.all([
    buildDeployables(root, join(folder, 'again')),
    install(archives.map((archive) => archive.folder)),
  ]);
  return {
    root,
    archives,
    images: deployables.filter(({ kind }) => kind === 'image'),
    again,
    whyNotInstalled,
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}

async function unpack({ files, folder }: Archive): Promise<void> {
  for (const [path, contents] of files) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), contents);
  }
}

async function install(folders: string[]): Promise<string | undefined> {
  try {
    await installPackages(folders);
    return undefined;
  } catch (error) {
    if (!(error instanceof RegistryUnreachable)) throw error;
    process.stderr.write(`skipped: what needs packages (${error.message})\n`);
    return error.message;
  }
}
