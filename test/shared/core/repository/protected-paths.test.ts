import { describe, expect, it } from '@jest/globals';
import { protectedPaths } from '../../../../shared/core/repository/protected-paths.ts';
import type { ChangeEntry } from '../../../../shared/messages/change-set.ts';

const NEW = 'a'.repeat(64);
const OLD = 'b'.repeat(64);
const entry = (path: string, change: Partial<ChangeEntry> = {}): ChangeEntry => ({
  path,
  mode: '100644',
  blob: NEW,
  bytes: 1,
  before: { mode: '100644', blob: OLD },
  ...change,
});
const reasonOf = (one: ChangeEntry, contents = new Map<string, Uint8Array>()) =>
  protectedPaths({ entries: [one] }, contents)[0]?.reason;
const manifests = (before: unknown, after: unknown) =>
  new Map([
    [OLD, Buffer.from(typeof before === 'string' ? before : JSON.stringify(before))],
    [NEW, Buffer.from(typeof after === 'string' ? after : JSON.stringify(after))],
  ]);

describe('protected paths', () => {
  it.each([
    ['.github/workflows/ci.yml', 'GitHub configuration'],
    ['.GitHub/penstock.yml', 'GitHub configuration'],
    ['CODEOWNERS', 'code owners'],
    ['.github/CODEOWNERS', 'code owners'],
    ['docs/CODEOWNERS', 'code owners'],
    ['.gitlab-ci.yml', 'CI configuration'],
    ['.circleci/config.yml', 'CI configuration'],
    ['cloudbuild.yaml', 'CI configuration'],
    ['infra/cloudbuild-prod.yaml', 'CI configuration'],
    ['Jenkinsfile', 'CI configuration'],
    ['azure-pipelines.yml', 'CI configuration'],
    ['.travis.yml', 'CI configuration'],
    ['bitbucket-pipelines.yml', 'CI configuration'],
    ['sub/.gitattributes', 'git attributes'],
    ['.gitmodules', 'git attributes'],
  ])('%s: %s', (path, reason) => expect(reasonOf(entry(path))).toBe(reason));

  it.each([
    'src/a.ts',
    'github/x',
    'src/codeowners.ts',
    'docs/jenkinsfile-guide/x.md',
    'src/CODEOWNERS',
    'README.md',
  ])('%s is not one', (path) => {
    expect(reasonOf(entry(path))).toBeUndefined();
  });

  it('are deleted ones too', () => {
    expect(reasonOf(entry('CODEOWNERS', { mode: null, blob: null, bytes: 0 }))).toBe('code owners');
  });

  describe('of package.json', () => {
    const scripts = { test: 'jest', build: 'tsc' };
    it('need a person when a script changes, appears or goes', () => {
      for (const after of [
        { scripts: { ...scripts, test: 'true' } },
        { scripts: { ...scripts, postinstall: 'x' } },
        {},
        'not json',
        '[]',
        { scripts: 'x' },
      ]) {
        expect(reasonOf(entry('package.json'), manifests({ scripts }, after))).toBe('package scripts');
      }
      expect(reasonOf(entry('packages/a/package.json', { before: null }), manifests({}, { scripts }))).toBe(
        'package scripts',
      );
    });

    it('need nobody when the scripts stay, in any order', () => {
      const after = { scripts: { build: 'tsc', test: 'jest' }, dependencies: { zod: '4' } };
      expect(reasonOf(entry('package.json'), manifests({ scripts }, after))).toBeUndefined();
      expect(reasonOf(entry('package.json', { before: null }), manifests({}, { name: 'x' }))).toBeUndefined();
    });

    it('need a person when the contents are not known', () => {
      expect(reasonOf(entry('package.json'))).toBe('package scripts');
    });
  });
});
