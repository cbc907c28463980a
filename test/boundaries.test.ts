import { describe, expect, it } from '@jest/globals';
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const IMPORT =
  /(?:^|\n)\s*(?:import|export)\b[^'"]*?from\s+'([^']+)'|import\('([^']+)'\)|(?:^|\n)import '([^']+)'/g;

interface Source {
  path: string;
  text: string;
  /** Repository paths of relative imports, and bare package names. */
  imports: string[];
}

function sources(folder: string): Source[] {
  return readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
    .map((entry) => relative(root, join(entry.parentPath, entry.name)))
    .filter((path) => !path.includes('cli/demo/repository/'))
    .map((path) => {
      const text = readFileSync(join(root, path), 'utf8');
      const imports = [...text.matchAll(IMPORT)].map(([, a, b, c]) => resolved(path, a ?? b ?? c ?? ''));
      return { path, text, imports };
    });
}

function resolved(from: string, specifier: string): string {
  return specifier.startsWith('.') ? relative(root, resolve(root, dirname(from), specifier)) : specifier;
}

function offenders(files: Source[], isWrong: (imported: string, path: string) => boolean): string[] {
  return files.flatMap(({ path, imports }) =>
    imports.filter((name) => isWrong(name, path)).map((name) => `${path} imports ${name}`),
  );
}

const all = [...sources('functions'), ...sources('shared')];
const inside = (folder: string) => all.filter(({ path }) => path.startsWith(folder));
const isOurs = (name: string) =>
  name.startsWith('shared/') || name.startsWith('functions/') || name.startsWith('test/');
const isIo = (name: string) =>
  name.startsWith('node:') && !['node:crypto', 'node:path', 'node:util', 'node:path/posix'].includes(name);

/** Pure parts of the core that adapters may call: parsing and judging, no use case. */
const PURE_CORE = /^shared\/core\/(repository|agents|models)\//;
const HOSTS = /^functions\/(local|cli)\//;

describe('imports', () => {
  it('of messages reach messages and zod only', () => {
    expect(
      offenders(inside('shared/messages/'), (name) => !name.startsWith('shared/messages/') && name !== 'zod'),
    ).toEqual([]);
  });

  it('of ports reach ports and messages only', () => {
    const allowed = (name: string) => name.startsWith('shared/ports/') || name.startsWith('shared/messages/');
    expect(offenders(inside('shared/ports/'), (name) => !allowed(name) && name !== 'node:crypto')).toEqual(
      [],
    );
  });

  it('of core reach core, ports and messages, and no SDK or I/O', () => {
    const pureLibraries = ['zod', 'yaml', 'picomatch'];
    const allowed = (name: string) =>
      /^shared\/(core|ports|messages)\//.test(name) || pureLibraries.includes(name);
    expect(
      offenders(inside('shared/core/'), (name) =>
        isOurs(name) ? !allowed(name) : isIo(name) || !(allowed(name) || name.startsWith('node:')),
      ),
    ).toEqual([]);
  });

  it("of the workflows' runner reach its own files, Node and yaml", () => {
    const runner = 'shared/adapters/workflows/';
    const allowed = (name: string) => name.startsWith(runner) || name.startsWith('node:') || name === 'yaml';
    expect(offenders(inside(runner), (name) => !allowed(name))).toEqual([]);
  });

  it('of adapters reach ports, messages, and the pure parts of core', () => {
    const allowed = (name: string) =>
      /^shared\/(adapters|ports|messages)\//.test(name) || PURE_CORE.test(name);
    expect(offenders(inside('shared/adapters/'), (name) => isOurs(name) && !allowed(name))).toEqual([]);
  });

  it('of an adapter folder name one vendor only', () => {
    const vendors = {
      anthropic: '@anthropic-ai/',
      github: '@octokit/',
      google: '@google-cloud/',
      opentelemetry: '@opentelemetry/',
    };
    const wrong = Object.entries(vendors).flatMap(([folder, vendor]) =>
      offenders(
        inside('shared/adapters/'),
        (name, path) => name.startsWith(vendor) && !path.startsWith(`shared/adapters/${folder}/`),
      ),
    );
    expect(wrong).toEqual([]);
  });

  it('of shared never reach functions or test', () => {
    expect(
      offenders(inside('shared/'), (name) => name.startsWith('functions/') || name.startsWith('test/')),
    ).toEqual([]);
  });

  it('of a function never reach another function; only the hosts import handlers', () => {
    const folderOf = (path: string) => path.split('/').slice(0, 2).join('/');
    const guests = inside('functions/').filter(({ path }) => !HOSTS.test(path));
    expect(
      offenders(guests, (name, path) => name.startsWith('functions/') && folderOf(name) !== folderOf(path)),
    ).toEqual([]);
  });

  it('of test code stand in no shipped file but the demo, which plays GitHub', () => {
    expect(
      offenders(all, (name, path) => name.startsWith('test/') && path !== 'functions/cli/demo.ts'),
    ).toEqual([]);
  });
});

describe('the environment', () => {
  it('is read in shared/runtime only', () => {
    const readers = all.filter(
      ({ path, text }) => !path.startsWith('shared/runtime/') && /process\.env\b/.test(text),
    );
    expect(readers.map(({ path }) => path)).toEqual([]);
  });
});

describe('the pure part', () => {
  it('has no clock and no randomness of its own', () => {
    const pure = [...inside('shared/core/'), ...inside('shared/ports/'), ...inside('shared/messages/')];
    const impure = pure.filter(({ text }) =>
      /\bDate\.now\(\)|new Date\(\)|Math\.random\(|randomUUID\(|randomBytes\(/.test(text),
    );
    expect(impure.map(({ path }) => path)).toEqual([]);
  });
});

describe('the tree', () => {
  it('has no default export and no barrel', () => {
    const wrong = all.filter(({ text }) => /^export default\b|^export \* from/m.test(text));
    expect(wrong.map(({ path }) => path)).toEqual([]);
  });

  it('names its files in kebab-case', () => {
    expect(all.map(({ path }) => path).filter((path) => !/^[a-z0-9/.-]+$/.test(path))).toEqual([]);
  });
});
