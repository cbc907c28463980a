import type { RepositoryContract } from '../../messages/repository-contract.ts';
import { detectNpm } from './detect-npm.ts';
import { detectPython } from './detect-python.ts';
import { nothing, textOf, type Detection, type RepositoryFile } from './detection.ts';

export interface DetectedContract {
  contract: RepositoryContract;
  /** One sentence per finding, for the plan and the run's record. */
  reasons: string[];
}

/** Manifests of the repository's root that detection reads; of other files only the names count. */
export const manifestPaths = [
  'package.json',
  'pyproject.toml',
  'setup.cfg',
  'tox.ini',
  'Makefile',
  'makefile',
  'GNUmakefile',
] as const;

/** How a repository without a contract of its own is set up and tested, as its manifests say. Without a finding there is no `test`. */
export function detectContract(files: readonly RepositoryFile[]): DetectedContract {
  const found = [detectNpm, detectPython, detectGo, detectCargo].map((detect) => detect(files));
  const languages = found.some((detection) => detection.test.length > 0)
    ? found
    : [...found, detectMake(files)];
  const setup = languages.flatMap((detection) => detection.setup);
  const test = languages.flatMap((detection) => detection.test);
  const none = 'no test command found: add `test:` to .github/penstock.yml';
  return {
    contract: { ...(setup.length > 0 ? { setup } : {}), ...(test.length > 0 ? { test } : {}) },
    reasons: [...languages.flatMap((detection) => detection.reasons), ...(test.length === 0 ? [none] : [])],
  };
}

function detectGo(files: readonly RepositoryFile[]): Detection {
  if (textOf(files, 'go.mod') === undefined) return nothing;
  const hasDependencies = textOf(files, 'go.sum') !== undefined;
  return {
    setup: hasDependencies ? ['go mod download'] : [],
    test: ['go test ./...'],
    reasons: ['go.mod: a Go module'],
  };
}

function detectCargo(files: readonly RepositoryFile[]): Detection {
  if (textOf(files, 'Cargo.toml') === undefined) return nothing;
  const locked = textOf(files, 'Cargo.lock') === undefined ? '' : ' --locked';
  // The tests run without a network.
  return {
    setup: [`cargo fetch${locked}`],
    test: ['cargo test --offline'],
    reasons: ['Cargo.toml: a Rust crate'],
  };
}

/** A Makefile often only wraps what the language's own manifest says, so it is asked last. */
function detectMake(files: readonly RepositoryFile[]): Detection {
  const makefile = ['GNUmakefile', 'makefile', 'Makefile'].find((path) => textOf(files, path) !== undefined);
  const text = makefile === undefined ? '' : (textOf(files, makefile) ?? '');
  const target = ['test', 'check'].find((name) => new RegExp(`^${name}\\s*:(?!=)`, 'm').test(text));
  return target === undefined
    ? nothing
    : { setup: [], test: [`make ${target}`], reasons: [`${makefile}: has a ${target} target`] };
}
