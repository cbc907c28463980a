import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { cutText, sanitiseText, storedBytes } from '../../../../shared/core/intake/sanitise-text.ts';

const text = fc.string({
  unit: fc.constantFrom(
    'a',
    '<!--',
    '-->',
    '\u200B',
    '\u{E0041}',
    '😀',
    '字',
    '"',
    '\n',
    '\r\n',
    '\ud83d',
    '\u202E',
    ' ',
  ),
  maxLength: 60,
});

describe('Untrusted text', () => {
  it.each([
    ['a comment', 'a<!-- b -->c', 'ac'],
    ['a comment over lines', 'a<!--\nb\n-->c', 'ac'],
    ['a comment that is never closed', 'a<!-- b', 'a'],
    ['two comments', 'a<!--b-->c<!--d-->e', 'ace'],
    ['characters of no width', 'a\u200B\u200C\u200D\u2060\uFEFFb', 'ab'],
    ['direction marks', 'a\u202E\u2066\u061Cb', 'ab'],
    ['tag characters', `a${String.fromCodePoint(0xe0068, 0xe0069)}b`, 'ab'],
    ['control characters', 'a\u0000\u0007\u001b[31mb', 'a[31mb'],
    ['a soft hyphen', 'a\u00ADb', 'ab'],
    ['half a surrogate pair', 'a\ud800b', 'a\uFFFDb'],
  ])('loses %s', (_, given, expected) => {
    expect(sanitiseText(given)).toBe(expected);
  });

  it('keeps what a person sees: tabs, line breaks, letters of all scripts, emoji', () => {
    const visible = 'Grüße\n\t字 עברית 😀 <b>bold</b> `x --> y`';
    expect(sanitiseText(visible)).toBe(visible);
  });

  it('is well-formed and has no hidden character afterwards, whatever came', () => {
    fc.assert(
      fc.property(text, (given) => {
        const clean = sanitiseText(given);
        expect(clean.isWellFormed()).toBe(true);
        expect(clean).not.toMatch(/[\u200B\u202E\r]|[\u{E0000}-\u{E0FFF}]/u);
      }),
    );
  });

  it('has nothing left of a comment that stood in it', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[a-z ]{0,20}$/), fc.stringMatching(/^[A-Z]{8}$/), (around, secret) => {
        expect(sanitiseText(`${around}<!-- ${secret} -->${around}`)).not.toContain(secret);
      }),
    );
  });
});

describe('A text that is cut', () => {
  it('is a beginning of it within both limits, never with half a character', () => {
    fc.assert(
      fc.property(text, fc.nat(80), fc.integer({ min: 2, max: 200 }), (given, chars, bytes) => {
        const whole = given.toWellFormed();
        const cut = cutText(whole, chars, bytes);
        expect(whole.startsWith(cut)).toBe(true);
        expect(cut.isWellFormed()).toBe(true);
        expect(cut.length).toBeLessThanOrEqual(chars);
        expect(storedBytes(cut)).toBeLessThanOrEqual(bytes);
      }),
    );
  });

  it('is whole where there is room', () => {
    expect(cutText('😀字a', 10)).toBe('😀字a');
  });
});
