import { z } from 'zod';
import { nothing, textOf, type Detection, type RepositoryFile } from './detection.ts';

const manifest = z.object({
  scripts: z.record(z.string(), z.unknown()).optional(),
  packageManager: z.string().optional(),
  dependencies: z.record(z.string(), z.unknown()).optional(),
  devDependencies: z.record(z.string(), z.unknown()).optional(),
  optionalDependencies: z.record(z.string(), z.unknown()).optional(),
  workspaces: z.unknown().optional(),
});
type Manifest = z.infer<typeof manifest>;

interface PackageManager {
  lockfiles: string[];
  install: string;
  test: string;
}

const MANAGERS: PackageManager[] = [
  { lockfiles: ['pnpm-lock.yaml'], install: 'pnpm install --frozen-lockfile', test: 'pnpm test' },
  { lockfiles: ['yarn.lock'], install: 'yarn install --frozen-lockfile', test: 'yarn test' },
  { lockfiles: ['bun.lock', 'bun.lockb'], install: 'bun install --frozen-lockfile', test: 'bun run test' },
  { lockfiles: ['package-lock.json', 'npm-shrinkwrap.json'], install: 'npm ci', test: 'npm test' },
];
/** Without a lockfile nothing may appear that could enter a change set. */
const NO_LOCKFILE: PackageManager = {
  lockfiles: [],
  install: 'npm install --no-package-lock',
  test: 'npm test',
};
/** What `npm init` writes. */
const NO_TEST = /no test specified/;

/** package.json's `test` script, run by the package manager that the lockfile names. */
export function detectNpm(files: readonly RepositoryFile[]): Detection {
  const text = textOf(files, 'package.json');
  if (text === undefined) return nothing;
  const found = readManifest(text);
  if (found === undefined) return { ...nothing, reasons: ['package.json: is not a readable manifest'] };
  const manager = managerOf(files);
  const script = found.scripts?.['test'];
  const hasTest = typeof script === 'string' && script.trim() !== '' && !NO_TEST.test(script);
  const by = manager.lockfiles.find((path) => textOf(files, path) !== undefined) ?? 'no lockfile';
  return {
    setup: hasDependencies(found) ? [installOf(manager, found)] : [],
    test: hasTest ? [manager.test] : [],
    reasons: [hasTest ? `package.json: has a test script (${by})` : 'package.json: has no test script'],
  };
}

function readManifest(text: string): Manifest | undefined {
  try {
    return manifest.parse(JSON.parse(text.replace(/^\ufeff/, '')));
  } catch {
    return undefined;
  }
}

function managerOf(files: readonly RepositoryFile[]): PackageManager {
  return (
    MANAGERS.find(({ lockfiles }) => lockfiles.some((path) => textOf(files, path) !== undefined)) ??
    NO_LOCKFILE
  );
}

/** Yarn 2 and later call the same thing `--immutable`. */
function installOf(manager: PackageManager, found: Manifest): string {
  const isModernYarn = /^yarn@([2-9]|\d{2,})/.test(found.packageManager ?? '');
  return manager.install.startsWith('yarn') && isModernYarn ? 'yarn install --immutable' : manager.install;
}

function hasDependencies(found: Manifest): boolean {
  const names = [found.dependencies, found.devDependencies, found.optionalDependencies].flatMap((list) =>
    Object.keys(list ?? {}),
  );
  return names.length > 0 || found.workspaces !== undefined;
}
