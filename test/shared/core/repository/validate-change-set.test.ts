import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { posix } from 'node:path';
import {
  changeSetProblems,
  MAX_CHANGE_SET_BYTES,
  validateChangeSet,
} from '../../../../shared/core/repository/validate-change-set.ts';
import { isDotGit, pathProblem } from '../../../../shared/core/repository/validate-path.ts';
import type { ChangeEntry, ChangeSet } from '../../../../shared/messages/change-set.ts';
import { PenstockError } from '../../../../shared/ports/penstock-error.ts';

const HASH = 'a'.repeat(64);
const entry = (path: string, change: Partial<ChangeEntry> = {}): ChangeEntry => ({
  path,
  mode: '100644',
  blob: HASH,
  bytes: 1,
  before: null,
  ...change,
});
const deleted = (path: string): ChangeEntry =>
  entry(path, { mode: null, blob: null, bytes: 0, before: { mode: '100644', blob: HASH } });
const set = (...entries: ChangeEntry[]): ChangeSet => ({
  v: 1,
  baseSha: 'b'.repeat(40),
  entries,
  added: 0,
  deleted: 0,
  checks: [],
});

describe('a path of a change set', () => {
  it.each([
    'a',
    'src/a.ts',
    '.github/workflows/x.yml',
    'a b/ü.txt',
    '.gitignore',
    '.gitattributes',
    'x.git/y',
    'git/x',
    '...',
    'a..b',
    'git~x',
    '日本/語.md',
  ])('may be %j', (path) => expect(pathProblem(path)).toBeUndefined());

  it.each([
    ['', 'is empty'],
    ['/etc/passwd', 'is absolute'],
    ['C:/windows', 'is absolute'],
    ['a//b', 'empty segment'],
    ['a/', 'empty segment'],
    ['./a', '"." segment'],
    ['../a', '".." segment'],
    ['a/../../b', '".." segment'],
    ['a\\..\\b', 'backslash'],
    ['a\u0000b', 'control character'],
    ['a\nb', 'control character'],
    ['a\u007f', 'control character'],
    ['u\u0308.txt', 'normal form C'],
    ['a\ud800', 'not UTF-8'],
    ['x'.repeat(256), '255 bytes'],
    ['x/'.repeat(600) + 'x', '1000 bytes'],
    ['.git', '.git'],
    ['.git/config', '.git'],
    ['sub/.GIT/hooks/post-checkout', '.git'],
    ['.Git/x', '.git'],
    ['.git /x', '.git'],
    ['.git.../x', '.git'],
    ['.git. ./x', '.git'],
    ['git~1/config', '.git'],
    ['GIT~1', '.git'],
    ['.git::$INDEX_ALLOCATION/x', '.git'],
    ['.g\u200cit/x', '.git'],
    ['\ufeff.git/x', '.git'],
    ['.gi\u202et', '.git'],
  ])('is not %j', (path, reason) => expect(pathProblem(path)).toContain(reason));

  it('is never one that resolves outside its folder', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom('.', '/', 'a', '\\', ' ', '~', '\u200c') }), (path) => {
        if (pathProblem(path) !== undefined) return;
        expect(posix.resolve('/root/folder', path)).toBe(`/root/folder/${path}`);
        expect(path.split('/').some(isDotGit)).toBe(false);
      }),
    );
  });
});

describe('a change set', () => {
  it('may add, change, delete, and rename by case only', () => {
    const changed = entry('b', { mode: '100755', before: { mode: '100644', blob: HASH } });
    const value = set(entry('a/x'), changed, deleted('c'), deleted('README'), entry('readme'));
    expect(changeSetProblems(value)).toEqual([]);
    expect(validateChangeSet(value)).toEqual(value);
  });

  it('may turn a file into a folder when the file is deleted', () => {
    expect(changeSetProblems(set(deleted('a'), entry('a/b')))).toEqual([]);
  });

  it('is refused with all reasons at once', () => {
    const value = set(
      entry('../x'),
      entry('twice'),
      entry('twice'),
      entry('Case'),
      entry('case'),
      entry('dir'),
      entry('DIR/file'),
      entry('half', { blob: null }),
      deleted('gone'),
      entry('never', { mode: null, blob: null, bytes: 0, before: null }),
    );
    const reasons = changeSetProblems(value);
    for (const expected of [
      '"../x" has a ".." segment',
      '"twice" stands twice',
      '"case" and "Case" differ only in case',
      '"dir" is a file and a folder of "DIR/file"',
      '"half" has a mode without contents or contents without a mode',
      '"never" is deleted but was not there before',
    ]) {
      expect(reasons).toContain(expected);
    }
    expect(reasons).toHaveLength(6);
  });

  it.each(['120000', '160000', '040000', '100777', '644'])('is refused with the mode %s', (mode) => {
    const value = { ...set(), entries: [{ ...entry('link'), mode }] };
    expect(changeSetProblems(value)).toEqual([expect.stringContaining('entries.0.mode')]);
  });

  it('still names bad paths when its shape is wrong too', () => {
    const reasons = changeSetProblems({ v: 2, entries: [{ path: '.git/x' }, 7] });
    expect(reasons).toContain('".git/x" reaches into .git');
    expect(reasons.length).toBeGreaterThan(2);
  });

  it('is refused when it is too much', () => {
    const many = set(...Array.from({ length: 301 }, (_, index) => entry(`f${index}`)));
    expect(changeSetProblems(many)).toContain('301 files; at most 300 are taken');
    const big = set(...Array.from({ length: 21 }, (_, index) => entry(`f${index}`, { bytes: 1024 * 1024 })));
    expect(changeSetProblems(big)).toEqual([
      `${21 * 1024 * 1024} bytes in all; at most ${MAX_CHANGE_SET_BYTES} are taken`,
    ]);
    expect(changeSetProblems(set(entry('big', { bytes: 1024 * 1024 + 1 }))).length).toBeGreaterThan(0);
  });

  it.each([null, undefined, 7, 'x', [], {}, { entries: {} }])('is not %j', (value) => {
    expect(() => validateChangeSet(value)).toThrow(PenstockError);
  });
});
