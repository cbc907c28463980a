import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';

export interface Entry {
  /** Of its folder in `functions/`. */
  name: string;
  kind: 'function' | 'image';
  /** Path of its first module. */
  module: string;
}

/** What can be deployed, by its folder: one with an `index.ts` is a function, one with a `Dockerfile` beside its `main.ts` is an image. */
export async function findEntries(root: string): Promise<Entry[]> {
  const names = (await readdir(join(root, 'functions'))).toSorted();
  return names.flatMap((name): Entry[] => {
    const has = (file: string): boolean => existsSync(join(root, 'functions', name, file));
    if (has('index.ts')) return [{ name, kind: 'function', module: `functions/${name}/index.ts` }];
    if (has('Dockerfile')) return [{ name, kind: 'image', module: `functions/${name}/main.ts` }];
    return [];
  });
}
