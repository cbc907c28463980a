import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { findAll } from '../../../../../shared/adapters/workflows/library/regexp/find.ts';
import { compileRegexp } from '../../../../../shared/adapters/workflows/library/regexp/program.ts';
import { Raised } from '../../../../../shared/adapters/workflows/errors.ts';

/** All matches, as text. */
function matches(pattern: string, text: string): string[] {
  const characters = Array.from(text);
  const points = characters.map((character) => character.codePointAt(0) as number);
  return findAll(compileRegexp(pattern), points).map(({ start, end }) =>
    characters.slice(start, end).join(''),
  );
}

describe('a regular expression of RE2', () => {
  it.each<[string, string, string[]]>([
    ['one|two', 'one two', ['one', 'two']],
    ['a|ab', 'ab', ['ab']],
    ['a*?', 'aa', ['aa']],
    ['a*', 'baaac', ['', 'aaa', '']],
    ['', 'ab', ['', '', '']],
    ['a{2,3}', 'aaaaa', ['aaa', 'aa']],
    ['a{2}', 'aaaa', ['aa', 'aa']],
    ['a{2,}', 'aaaa', ['aaaa']],
    ['(ab)+c?', 'ababcab', ['ababc', 'ab']],
    ['(?P<year>[0-9]{4})-(?:0[1-9]|1[0-2])', '2024-07 2024-13', ['2024-07']],
    [String.raw`\d+\.\d*`, '1.5 2.', ['1.5', '2.']],
    [String.raw`\bfoo\b`, 'foo food foo', ['foo', 'foo']],
    [String.raw`\Bo`, 'oo o', ['o']],
    ['^a', 'aa\na', ['a']],
    ['(?m)^a$', 'a\nb\na', ['a', 'a']],
    ['a$', 'a\na', ['a']],
    [String.raw`\Aa|a\z`, 'aba', ['a', 'a']],
    ['.+', 'ab\ncd', ['ab', 'cd']],
    ['(?s).+', 'ab\ncd', ['ab\ncd']],
    ['(?i)straße|É', 'STRAßE é', ['STRAßE', 'é']],
    ['a(?i)b|c', 'aB C AB', ['aB', 'C']],
    ['(?i:a)b', 'Ab AB', ['Ab']],
    ['(?i)a(?-i)b', 'Ab AB', ['Ab']],
    ['[^a-c]+', 'abxyc', ['xy']],
    ['[]a]+', 'a]b', ['a]']],
    ['[a-]+', 'a-b', ['a-']],
    ['[[:alpha:]_]+', 'ab_1', ['ab_']],
    ['[[:^digit:]]+', '1ab2', ['ab']],
    [String.raw`[\d.]+`, 'v1.2', ['1.2']],
    [String.raw`\p{Greek}+|\pN+`, 'αβγ 12', ['αβγ', '12']],
    [String.raw`\PL+`, 'a12b', ['12']],
    [String.raw`\x41\x{1F600}`, 'A😀', ['A😀']],
    [String.raw`\Qa.b*\E+`, 'a.b**', ['a.b*']],
    [String.raw`\[\]\-\/`, '[]-/', ['[]-/']],
    ['{}', 'a{}', ['{}']],
    ['a{,2}', 'a{,2}', ['a{,2}']],
    ['😀+', 'x😀😀', ['😀😀']],
    [String.raw`\s+`, 'a \t\nb', [' \t\n']],
  ])('%s in %j', (pattern, text, expected) => {
    expect(matches(pattern, text)).toEqual(expected);
  });

  it.each([
    '(',
    ')',
    'a)',
    '[',
    '[a',
    '[b-a]',
    '*a',
    'a**',
    'a++',
    '(a',
    'a{2,1}',
    'a{1001}',
    '\\',
    String.raw`\1`,
    String.raw`(a)\1`,
    String.raw`\k<a>`,
    '(?=a)',
    '(?!a)',
    '(?<=a)',
    '(?<!a)',
    '(?P=a)',
    '(?x)a',
    '[[:nope:]]',
    String.raw`\p{Nope}`,
    String.raw`\x{110000}`,
    String.raw`\y`,
    '((a{1000}){1000}){1000}',
  ])('%s is refused', (pattern) => {
    expect(() => compileRegexp(pattern)).toThrow(Raised);
    expect(() => compileRegexp(pattern)).toThrow('ValueError: regular expression:');
  });

  it('takes time in proportion to the text, whatever the pattern', () => {
    const started = performance.now();
    expect(matches('(a+)+$', `${'a'.repeat(5000)}b`)).toEqual([]);
    expect(matches('(a|a)*(a|aa)*c', 'a'.repeat(2000))).toEqual([]);
    expect(performance.now() - started).toBeLessThan(2000);
  });

  it('is compiled or refused whatever it is', () => {
    const piece = fc.constantFrom(
      'a',
      'b',
      '.',
      '*',
      '+',
      '?',
      '(',
      ')',
      '(?:',
      '(?i)',
      '[',
      ']',
      '^',
      '$',
      '-',
      '|',
      '{2}',
      '{',
      '}',
      '\\d',
      '\\',
      '\\b',
      '[:alpha:]',
      'é',
      '😀',
      ',',
    );
    fc.assert(
      fc.property(
        fc.array(piece, { maxLength: 12 }),
        fc.string({ unit: fc.constantFrom('a', 'b', 'é', '😀', '\n'), maxLength: 8 }),
        (pieces, text) => {
          try {
            matches(pieces.join(''), text);
          } catch (error) {
            expect(error).toBeInstanceOf(Raised);
          }
        },
      ),
      { numRuns: 500 },
    );
  });

  it('finds what JavaScript finds where the two agree', () => {
    const leaf = fc.constantFrom('a', 'b', 'c', '[ab]', '[^a]', '.', 'ab');
    const { node } = fc.letrec<{ node: string }>((tie) => ({
      node: fc.oneof(
        { maxDepth: 3 },
        leaf,
        fc.tuple(tie('node'), tie('node')).map(([x, y]) => x + y),
        fc
          .tuple(tie('node'), fc.constantFrom('*', '+', '?', '{1,2}'))
          .map(([x, count]) => `(?:${x})${count}`),
        fc.tuple(tie('node'), tie('node')).map(([x, y]) => `(?:${x}|${y})`),
      ),
    }));
    fc.assert(
      fc.property(
        node,
        fc.string({ unit: fc.constantFrom('a', 'b', 'c'), maxLength: 7 }),
        (pattern, text) => {
          expect(matches(`^(?:${pattern})$`, text).length > 0).toBe(
            new RegExp(`^(?:${pattern})$`, 'u').test(text),
          );
        },
      ),
      { numRuns: 300 },
    );
  });
});
