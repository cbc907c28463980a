import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { type BundledFile, FRAMEWORK } from './bundle.ts';
import { deriveLockfile, type Lockfile } from './derive-lockfile.ts';
import type { Entry } from './find-entries.ts';

const projectManifest = z.object({
  version: z.string(),
  license: z.string(),
  dependencies: z.object({ [FRAMEWORK]: z.string().regex(/^\d+\.\d+\.\d+$/, 'an exact version') }),
});
export interface Project {
  manifest: z.infer<typeof projectManifest>;
  lock: Lockfile;
}

/** The runtime of the functions, `nodejs24`. */
const ENGINES = { node: '24' };

export async function readProject(root: string): Promise<Project> {
  const read = async (file: string): Promise<unknown> => JSON.parse(await readFile(join(root, file), 'utf8'));
  return {
    manifest: projectManifest.parse(await read('package.json')),
    lock: (await read('package-lock.json')) as Lockfile,
  };
}

/** What npm and Node have to know of a deployable. Only a function has a dependency: the framework that starts it. */
export function packageFiles({ name, kind, module }: Entry, { manifest, lock }: Project): BundledFile[] {
  const { version, license, dependencies } = manifest;
  const own = {
    name: `penstock-${name}`,
    version,
    license,
    private: true,
    type: 'module',
    main: module.replace(/\.ts$/, '.js'),
    engines: ENGINES,
  };
  if (kind === 'image') return [jsonFile('package.json', own)];
  const scripts = { start: `functions-framework --target=${name}`, 'gcp-build': 'node bake.js' };
  const needs = { name: own.name, version, license, engines: ENGINES, dependencies };
  return [
    jsonFile('package.json', { ...own, scripts, dependencies }),
    jsonFile('package-lock.json', deriveLockfile(lock, needs)),
  ];
}

function jsonFile(path: string, value: object): BundledFile {
  return { path, contents: Buffer.from(`${JSON.stringify(value, null, 2)}\n`) };
}
