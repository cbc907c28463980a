import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { bundle, type BundledFile } from './bundle.ts';
import { type Entry, findEntries } from './find-entries.ts';
import { packageFiles, readProject } from './package-files.ts';
import { writeZip } from './write-zip.ts';

export interface Deployable extends Pick<Entry, 'name' | 'kind'> {
  folder: string;
  /** Of a function: what is uploaded. */
  archive?: { file: string; bytes: number; sha256: string };
}

/** What processes read while they run, where it lies in the project. */
const DATA_FOLDERS = ['shared/agents', 'shared/prompts'];

/**
 * Makes `out/<function>/` and `out/<function>.zip` of every function, and in `out/<job>/` what the job's image is made of. All that is in
 * `out` is replaced. The same source gives the same bytes, so that a deployment replaces only what has changed.
 */
export async function buildDeployables(root: string, out: string): Promise<Deployable[]> {
  const entries = await findEntries(root);
  const modules = entries.map(({ module }) => module);
  const [bundled, data, project] = await Promise.all([
    bundle(root, modules),
    readData(root),
    readProject(root),
  ]);
  await rm(out, { recursive: true, force: true });
  return Promise.all(
    entries.map(async (entry) => {
      const code = bundled.get(entry.module) ?? [];
      const rest = await readRootFiles(root, entry);
      return write(entry, [...code, ...data, ...packageFiles(entry, project), ...rest], out);
    }),
  );
}

async function write({ name, kind }: Entry, files: BundledFile[], out: string): Promise<Deployable> {
  const folder = join(out, name);
  for (const { path, contents } of files) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), contents);
  }
  if (kind === 'image') return { name, kind, folder };
  const zip = writeZip(files);
  const file = `${folder}.zip`;
  await writeFile(file, zip);
  const sha256 = createHash('sha256').update(zip).digest('hex');
  return { name, kind, folder, archive: { file, bytes: zip.length, sha256 } };
}

async function readData(root: string): Promise<BundledFile[]> {
  const folders = DATA_FOLDERS.map(async (folder) => {
    const names = (await readdir(join(root, folder))).filter((name) => name !== 'README.md');
    return Promise.all(names.map((name) => readProjectFile(root, `${folder}/${name}`)));
  });
  return (await Promise.all(folders)).flat();
}

/** What lies at the root of a deployable: Google's builder runs the first, Docker reads the others. */
function readRootFiles(root: string, { name, kind }: Entry): Promise<BundledFile[]> {
  const paths = ['functions/build/bake.js'];
  if (kind === 'image') paths.push(`functions/${name}/Dockerfile`, `functions/${name}/.dockerignore`);
  return Promise.all(
    paths.map(async (path) => ({ ...(await readProjectFile(root, path)), path: basename(path) })),
  );
}

async function readProjectFile(root: string, path: string): Promise<BundledFile> {
  return { path, contents: await readFile(join(root, path)) };
}
