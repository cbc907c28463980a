import { build, type Metafile, type Plugin } from 'esbuild';
import { readFile } from 'node:fs/promises';
import { relative } from 'node:path';

export interface BundledFile {
  /** Relative to the root of its archive. */
  path: string;
  contents: Uint8Array;
}

/** Installed beside the code: it keeps its registry in a module, so a bundled copy would not be seen. */
export const FRAMEWORK = '@google-cloud/functions-framework';

/**
 * CommonJS packages look for `require` and `__dirname`. Source maps and the compile cache that `bake.js` leaves have to be asked for
 * here: the framework starts the process, and both hold for what is loaded after the first of our files.
 */
const BANNER = [
  "import __module from'node:module';",
  'const require=__module.createRequire(import.meta.url),__filename=import.meta.filename,__dirname=import.meta.dirname;',
  "__module.setSourceMapsSupport(true);__module.enableCompileCache(__dirname+'/../../.compile-cache');",
].join('');

/**
 * The files that each entry reaches, by entry, all made in one run: to read every library once for each entry would take ten times as
 * long. They keep their place relative to the project's root, two folders deep, so that `new URL('../../…', import.meta.url)` means the
 * same in the project and in an archive.
 */
export async function bundle(root: string, entries: string[]): Promise<Map<string, BundledFile[]>> {
  const { outputFiles, metafile } = await build({
    absWorkingDir: root,
    entryPoints: entries,
    outbase: '.',
    outdir: '.',
    entryNames: '[dir]/[name]',
    chunkNames: 'shared/chunks/[name]-[hash]',
    write: false,
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node24',
    external: [FRAMEWORK],
    // Firestore's REST client reads names of functions: identifiers stay.
    minifyWhitespace: true,
    minifySyntax: true,
    banner: { js: BANNER },
    sourcemap: true,
    sourcesContent: false,
    metafile: true,
    logLevel: 'warning',
    plugins: [unmappedPackages],
  });
  const files = new Map(outputFiles.map(({ path, contents }) => [relative(root, path), contents]));
  const outputs = new Map(
    Object.entries(metafile.outputs).map(([path, { inputs }]) => [path, withMap(path, inputs, files)]),
  );
  return new Map(
    entries.map((entry) => {
      const reached = reach(metafile, entry.replace(/\.ts$/, '.js'));
      return [entry, reached.flatMap((path) => outputs.get(path) ?? [])] as const;
    }),
  );
}

/** What is only packages goes without its map: Node would read and measure it, and it names nothing. */
function withMap(path: string, inputs: object, files: Map<string, Uint8Array>): BundledFile[] {
  const toFile = (name: string): BundledFile => {
    const contents = files.get(name);
    if (contents === undefined) throw new Error(`esbuild made no ${name}`);
    return { path: name, contents };
  };
  const hasOwnCode = Object.keys(inputs).some((input) => !input.startsWith('node_modules/'));
  if (hasOwnCode) return [toFile(path), toFile(`${path}.map`)];
  const text = Buffer.from(toFile(path).contents).toString();
  return [{ path, contents: Buffer.from(text.slice(0, text.lastIndexOf('//# sourceMappingURL='))) }];
}

/** An output and all that it imports, now or later. */
function reach({ outputs }: Metafile, entry: string): string[] {
  const reached = new Set([entry]);
  for (const path of reached) {
    for (const { path: imported, external } of outputs[path]?.imports ?? [])
      if (external !== true) reached.add(imported);
  }
  return [...reached];
}

/** Maps the first line, and that is made empty: to read the maps of Google's libraries would cost a process 15 MB. */
const NO_MAP = `\n//# sourceMappingURL=data:application/json;base64,${Buffer.from(
  JSON.stringify({ version: 3, sources: ['package'], mappings: 'AAAA' }),
).toString('base64')}`;

/** Code of packages is left out of the source maps. */
const unmappedPackages: Plugin = {
  name: 'unmapped-packages',
  setup: (plugins) =>
    plugins.onLoad({ filter: /\/node_modules\/.*\.[cm]?js$/ }, async ({ path }) => ({
      contents: `\n${await readFile(path, 'utf8')}${NO_MAP}`,
      loader: 'js',
    })),
};
