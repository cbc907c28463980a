import type { Cursor } from './cursor.ts';
import { cased, type Flags } from './flags.ts';
import { anyOf, negated, PERL_SETS, onlyPoint, POSIX_SETS, range, unicodeSet } from './sets.ts';
import type { Test } from './tree.ts';

const CONTROLS: ReadonlyMap<string, number> = new Map([
  ['a', 0x07],
  ['f', 0x0c],
  ['t', 0x09],
  ['n', 0x0a],
  ['r', 0x0d],
  ['v', 0x0b],
]);
const LAST_POINT = 0x10ffff;

/** `[a-z]`, `[^[:alpha:]\d]`; a `]` that comes first stands for itself. */
export function parseBrackets(cursor: Cursor, flags: Flags): Test {
  cursor.next();
  const isNegated = cursor.take('^');
  const tests: Test[] = [];
  do tests.push(bracketItem(cursor));
  while (!cursor.take(']'));
  const set = cased(anyOf(tests), flags);
  return isNegated ? negated(set) : set;
}

function bracketItem(cursor: Cursor): Test {
  if (cursor.isEnd()) throw cursor.wrong("a '[' is not closed");
  return posixSet(cursor) ?? namedSet(cursor) ?? bracketRange(cursor);
}

function posixSet(cursor: Cursor): Test | undefined {
  const match = cursor.match(/^\[:(\^?)([a-z]+):\]/);
  if (match === undefined) return undefined;
  const set = POSIX_SETS.get(match[2] ?? '');
  if (set === undefined) throw cursor.wrong(`there is no class ${match[0]}, which ends`);
  return match[1] === '^' ? negated(set) : set;
}

function bracketRange(cursor: Cursor): Test {
  const first = bracketPoint(cursor);
  if (cursor.peek() !== '-' || cursor.peek(1) === ']' || cursor.peek(1) === '') return onlyPoint(first);
  cursor.next();
  const last = bracketPoint(cursor);
  if (last < first) throw cursor.wrong('a range ends before it begins');
  return range(first, last);
}

function bracketPoint(cursor: Cursor): number {
  return cursor.peek() === '\\' ? escapedPoint(cursor) : (cursor.next().codePointAt(0) as number);
}

/** What a `\` begins: a set, or one character. */
export function parseEscaped(cursor: Cursor): Test {
  return namedSet(cursor) ?? onlyPoint(escapedPoint(cursor));
}

/** `\d`, `\pN`, `\p{Greek}`, `\P{^…}`; undefined when none stands here. */
function namedSet(cursor: Cursor): Test | undefined {
  const perl = cursor.match(/^\\([dDsSwW])/);
  if (perl !== undefined) return PERL_SETS.get(perl[1] ?? '');
  const unicode = cursor.match(/^\\(p|P)(?:([A-Za-z])|\{(\^?)([A-Za-z_]+)\})/);
  if (unicode === undefined) return undefined;
  const [, letter, short, caret = '', long = ''] = unicode;
  const set = unicodeSet(short ?? long);
  if (set === undefined) throw cursor.wrong('there is no such Unicode category or script');
  return (letter === 'P') === (caret === '^') ? set : negated(set);
}

function escapedPoint(cursor: Cursor): number {
  const hexadecimal = cursor.match(/^\\x(?:([0-9A-Fa-f]{2})|\{([0-9A-Fa-f]{1,6})\})/);
  if (hexadecimal !== undefined) {
    const value = parseInt(hexadecimal[1] ?? hexadecimal[2] ?? '', 16);
    if (value > LAST_POINT) throw cursor.wrong('there is no such code point');
    return value;
  }
  cursor.next();
  const letter = cursor.next();
  const control = CONTROLS.get(letter);
  if (control === undefined && /[A-Za-z0-9]/.test(letter)) {
    throw cursor.wrong(`RE2 has no \\${letter} (it cannot refer back to a group)`);
  }
  return control ?? (letter.codePointAt(0) as number);
}
