import { describe, expect, it } from '@jest/globals';
import { detectContract } from '../../../../shared/core/repository/detect-contract.ts';

const detect = (files: Record<string, string>) =>
  detectContract(Object.entries(files).map(([path, text]) => ({ path, text })));
const manifest = (change: object = {}) =>
  JSON.stringify({ scripts: { test: 'jest' }, devDependencies: { jest: '30' }, ...change });

describe('detecting a repository contract', () => {
  it.each([
    ['npm', { 'package-lock.json': '{}' }, {}, 'npm ci', 'npm test'],
    ['npm without a lockfile', {}, {}, 'npm install --no-package-lock', 'npm test'],
    ['pnpm', { 'pnpm-lock.yaml': '' }, {}, 'pnpm install --frozen-lockfile', 'pnpm test'],
    ['yarn 1', { 'yarn.lock': '' }, {}, 'yarn install --frozen-lockfile', 'yarn test'],
    [
      'yarn 4',
      { 'yarn.lock': '' },
      { packageManager: 'yarn@4.9.1' },
      'yarn install --immutable',
      'yarn test',
    ],
    ['bun', { 'bun.lock': '' }, {}, 'bun install --frozen-lockfile', 'bun run test'],
  ])('%s', (_name, files, change, setup, test) => {
    expect(detect({ 'package.json': manifest(change), ...files }).contract).toEqual({
      setup: [setup],
      test: [test],
    });
  });

  it('installs nothing where package.json has no dependencies', () => {
    expect(
      detect({
        'package.json': JSON.stringify({ scripts: { test: 'node --test' } }),
        'package-lock.json': '{}',
      }),
    ).toEqual({
      contract: { test: ['npm test'] },
      reasons: ['package.json: has a test script (package-lock.json)'],
    });
  });

  it.each([
    ['no script', JSON.stringify({ scripts: { build: 'tsc' } })],
    [
      'what npm init writes',
      JSON.stringify({ scripts: { test: 'echo "Error: no test specified" && exit 1' } }),
    ],
    ['an empty script', JSON.stringify({ scripts: { test: '' } })],
    ['broken JSON', '{'],
    ['another shape', '[]'],
  ])('takes no test command from a package.json with %s', (_name, text) => {
    const { contract, reasons } = detect({ 'package.json': text });
    expect(contract).toEqual({});
    expect(reasons.at(-1)).toBe('no test command found: add `test:` to .github/penstock.yml');
  });

  it.each([
    ['pytest.ini', { 'pytest.ini': '' }],
    ['pyproject.toml', { 'pyproject.toml': '[tool.pytest.ini_options]\naddopts = "-q"\n' }],
    ['setup.cfg', { 'setup.cfg': '[tool:pytest]\n' }],
    ['a test file', { 'tests/test_app.py': '' }],
  ])('pytest by %s', (_name, files) => {
    expect(detect(files).contract).toEqual({ test: ['python3 -m pytest'] });
  });

  it('pytest in a virtual environment where packages are named', () => {
    const { contract } = detect({
      'conftest.py': '',
      'requirements.txt': 'flask\n',
      'requirements-dev.txt': '# none\n',
      'pyproject.toml': '[project]\nname = "x"\n',
    });
    expect(contract.setup).toEqual([
      'python3 -m venv --system-site-packages .venv',
      '.venv/bin/python -m pip install --quiet pytest -r requirements.txt -e .',
    ]);
    expect(contract.test).toEqual(['.venv/bin/python -m pytest']);
  });

  it('go and cargo', () => {
    expect(detect({ 'go.mod': 'module x', 'go.sum': '' }).contract).toEqual({
      setup: ['go mod download'],
      test: ['go test ./...'],
    });
    expect(detect({ 'go.mod': 'module x' }).contract).toEqual({ test: ['go test ./...'] });
    expect(detect({ 'Cargo.toml': '[package]', 'Cargo.lock': '' }).contract).toEqual({
      setup: ['cargo fetch --locked'],
      test: ['cargo test --offline'],
    });
  });

  it('make, only where nothing else is found', () => {
    const Makefile = 'test := x\nbuild: a\n\ncc a\ntest: build\n\t./run\n';
    expect(detect({ Makefile }).contract).toEqual({ test: ['make test'] });
    expect(detect({ Makefile, 'go.mod': '' }).contract).toEqual({ test: ['go test ./...'] });
    expect(detect({ Makefile: 'test := x\ntests:\n' }).contract).toEqual({});
    expect(detect({ Makefile: 'check:\n\tx\n' }).contract).toEqual({ test: ['make check'] });
  });

  it('several languages in one repository', () => {
    const { contract, reasons } = detect({
      'package.json': manifest({ devDependencies: {} }),
      'pytest.ini': '',
    });
    expect(contract).toEqual({ test: ['npm test', 'python3 -m pytest'] });
    expect(reasons).toHaveLength(2);
  });

  it('looks at the root only', () => {
    expect(detect({ 'examples/package.json': manifest(), 'vendor/go.mod': '' }).contract).toEqual({});
  });
});
