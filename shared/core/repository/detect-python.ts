import { nothing, textOf, type Detection, type RepositoryFile } from './detection.ts';

const TEST_FILE = /(^|\/)(test_[^/]+|[^/]+_test|conftest)\.py$/;
/** Beside the system's packages, because those are read-only. */
const VENV = 'python3 -m venv --system-site-packages .venv';

/** pytest, in a virtual environment when the repository names packages to install. */
export function detectPython(files: readonly RepositoryFile[]): Detection {
  const reason = whyPytest(files);
  if (reason === undefined) return nothing;
  const packages = packagesOf(files);
  if (packages.length === 0) return { setup: [], test: ['python3 -m pytest'], reasons: [reason] };
  const install = `.venv/bin/python -m pip install --quiet pytest ${packages.join(' ')}`;
  return { setup: [VENV, install], test: ['.venv/bin/python -m pytest'], reasons: [reason] };
}

function whyPytest(files: readonly RepositoryFile[]): string | undefined {
  const settings: [path: string, section: RegExp][] = [
    ['pytest.ini', /^/],
    ['pyproject.toml', /^\s*\[tool\.pytest/m],
    ['setup.cfg', /^\s*\[tool:pytest\]/m],
    ['tox.ini', /^\s*\[pytest\]/m],
  ];
  const configured = settings.find(
    ([path, section]) => section.test(textOf(files, path) ?? '\u0000') && textOf(files, path) !== undefined,
  );
  if (configured !== undefined) return `${configured[0]}: configures pytest`;
  const test = files.find((file) => TEST_FILE.test(file.path));
  return test === undefined ? undefined : `${test.path}: a test that pytest finds`;
}

function packagesOf(files: readonly RepositoryFile[]): string[] {
  const lists = [
    'requirements.txt',
    'requirements-dev.txt',
    'dev-requirements.txt',
    'requirements-test.txt',
    'test-requirements.txt',
  ];
  const requirements = lists
    .filter((path) => /^\s*[^#\s]/m.test(textOf(files, path) ?? ''))
    .map((path) => `-r ${path}`);
  const isPackage =
    textOf(files, 'setup.py') !== undefined || /^\s*\[project\]/m.test(textOf(files, 'pyproject.toml') ?? '');
  return [...requirements, ...(isPackage ? ['-e .'] : [])];
}
