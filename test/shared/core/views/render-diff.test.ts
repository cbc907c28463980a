import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { renderDiff } from '../../../../shared/core/views/render-diff.ts';
import { bundleOf, type Files } from '../../../functions/api/drive-run.ts';

const MAX_BYTES = 1024 * 1024;

function diffOf(files: Files, maxBytes = MAX_BYTES): string {
  const { changeSet, contents } = bundleOf('0'.repeat(40), files);
  const bytes = new Map(
    Object.entries(contents).map(([sha, text]) => [sha, new Uint8Array(Buffer.from(text, 'base64'))]),
  );
  return renderDiff(changeSet, bytes, maxBytes);
}

/** What git makes of the diff: the judge is not our own code. */
function applied(before: string | null, diff: string): string | null {
  const folder = mkdtempSync(join(tmpdir(), 'penstock-diff-'));
  try {
    if (before !== null) writeFileSync(join(folder, 'a.txt'), before);
    execFileSync('git', ['apply', '--whitespace=nowarn', '-'], { cwd: folder, input: diff, stdio: 'pipe' });
    return existsSync(join(folder, 'a.txt')) ? readFileSync(join(folder, 'a.txt'), 'utf8') : null;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const text = fc
  .tuple(
    fc.array(fc.constantFrom('one', 'two', 'three', '', '-four', '+five', '@@ six'), { maxLength: 40 }),
    fc.boolean(),
  )
  .map(([lines, isOpen]) => (lines.length === 0 ? 'x' : lines.join('\n')) + (isOpen ? '' : '\n'));

describe('a change set as a diff', () => {
  it('is what git turns the old text into the new one with', () => {
    const pairs = fc.tuple(fc.option(text), fc.option(text)).filter(([before, after]) => before !== after);
    fc.assert(
      fc.property(pairs, ([before, after]) => {
        expect(applied(before, diffOf({ 'a.txt': [before, after] }))).toBe(after);
      }),
      { numRuns: 40 },
    );
  });

  it('shows a file that is too long to compare as replaced', () => {
    const lines = (word: string) => Array.from({ length: 5_000 }, (_, n) => `${word} ${n}\n`).join('');
    const diff = diffOf({ 'a.txt': [lines('old'), lines('new')] });
    expect(applied(lines('old'), diff)).toBe(lines('new'));
  });

  it('stops at its limit and says how much is left out', () => {
    const diff = diffOf(
      { 'a.txt': [null, 'a\n'], 'b.txt': [null, 'b'.repeat(500)], 'c.txt': [null, 'c\n'] },
      200,
    );
    expect(diff).toContain('+a');
    expect(diff).not.toContain('bbb');
    expect(diff).toContain('2 of 3 files are not shown');
  });

  it('names binary files only', () => {
    expect(diffOf({ 'a.bin': ['\0old', '\0new'] })).toBe('diff --git a/a.bin b/a.bin\nBinary files differ\n');
  });
});
