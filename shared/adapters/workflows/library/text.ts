import { indexError, resourceLimitError, valueError } from '../errors.ts';
import { MAX_STRING_LENGTH } from '../expressions/operators.ts';
import type { Value } from '../values.ts';
import { define, type LibraryFunction } from './define.ts';
import { findAll, findFirst, type Span } from './regexp/find.ts';
import { compileRegexp } from './regexp/program.ts';

/**
 * https://cloud.google.com/workflows/docs/reference/stdlib/text/find_all and its neighbours. Indexes count characters
 * (code points) from 0. Regular expressions are RE2's, of the leftmost matches the longest is taken.
 */
export const TEXT_FUNCTIONS: readonly LibraryFunction[] = [
  define(
    'text.decode',
    [
      ['data', 'bytes'],
      ['charset', 'string', 'UTF-8'],
    ],
    ([data, charset]) => decode(data, charset),
  ),
  define(
    'text.encode',
    [
      ['text', 'string'],
      ['charset', 'string', 'UTF-8'],
    ],
    ([text, charset]) => encode(text, charset),
  ),
  define(
    'text.find_all',
    [
      ['source', 'string'],
      ['substr', 'string'],
    ],
    ([source, substr]) =>
      occurrences(Array.from(source), Array.from(substr)).map(({ start }) => BigInt(start)),
  ),
  define(
    'text.find_all_regex',
    [
      ['source', 'string'],
      ['regexp', 'string'],
    ],
    ([source, regexp]) => findMatches(source, regexp),
  ),
  define(
    'text.match_regex',
    [
      ['source', 'string'],
      ['regexp', 'string'],
    ],
    ([source, regexp]) => findFirst(compileRegexp(regexp), pointsOf(source), 0) !== undefined,
  ),
  define(
    'text.replace_all',
    [
      ['source', 'string'],
      ['substr', 'string'],
      ['repl', 'string'],
    ],
    ([source, substr, repl]) => {
      const characters = Array.from(source);
      return replaced(characters, occurrences(characters, Array.from(substr)), repl);
    },
  ),
  define(
    'text.replace_all_regex',
    [
      ['source', 'string'],
      ['regexp', 'string'],
      ['repl', 'string'],
    ],
    ([source, regexp, repl]) =>
      replaced(Array.from(source), findAll(compileRegexp(regexp), pointsOf(source)), repl),
  ),
  define(
    'text.split',
    [
      ['source', 'string'],
      ['separator', 'string'],
    ],
    ([source, separator]) => {
      if (separator === '') throw valueError('text.split: the separator is empty');
      return source.split(separator);
    },
  ),
  define(
    'text.substring',
    [
      ['source', 'string'],
      ['start', 'integer'],
      ['end', 'integer'],
    ],
    ([source, start, end]) => substring(Array.from(source), Number(start), Number(end)),
  ),
  define('text.to_lower', [['source', 'string']], ([source]) => source.toLowerCase()),
  define('text.to_upper', [['source', 'string']], ([source]) => source.toUpperCase()),
  define('text.url_decode', [['source', 'string']], ([source]) => urlDecode(source)),
  define('text.url_encode', [['source', 'string']], ([source]) => urlEncode(source)),
  define('text.url_encode_plus', [['source', 'string']], ([source]) =>
    urlEncode(source).replaceAll('%20', '+'),
  ),
];

const CHARSETS: ReadonlyMap<string, BufferEncoding> = new Map([
  ['UTF-8', 'utf8'],
  ['UTF8', 'utf8'],
  ['ISO-8859-1', 'latin1'],
  ['LATIN1', 'latin1'],
  ['US-ASCII', 'ascii'],
  ['ASCII', 'ascii'],
]);

function charsetOf(name: string): BufferEncoding {
  const charset = CHARSETS.get(name.toUpperCase());
  if (charset !== undefined) return charset;
  throw valueError(`the charset ${JSON.stringify(name)} is not one of ${[...CHARSETS.keys()].join(', ')}`);
}

function decode(data: Uint8Array, charset: string): string {
  const text = Buffer.from(data).toString(charsetOf(charset));
  if (Buffer.compare(Buffer.from(text, charsetOf(charset)), data) === 0) return text;
  throw valueError(`text.decode: the bytes are not ${charset}`);
}

function encode(text: string, charset: string): Uint8Array {
  const bytes = Buffer.from(text, charsetOf(charset));
  if (bytes.toString(charsetOf(charset)) === text) return new Uint8Array(bytes);
  throw valueError(`text.encode: ${charset} has not all of the characters`);
}

/** Where `part` occurs, from left to right, none overlapping another; an empty one before, between and after all. */
function occurrences(characters: readonly string[], part: readonly string[]): Span[] {
  const spans: Span[] = [];
  let start = 0;
  while (start <= characters.length - part.length) {
    const isHere = part.every((character, at) => characters[start + at] === character);
    if (isHere) spans.push({ start, end: start + part.length });
    start += isHere ? Math.max(part.length, 1) : 1;
  }
  return spans;
}

function findMatches(source: string, regexp: string): Value[] {
  const characters = Array.from(source);
  return findAll(compileRegexp(regexp), pointsOf(source)).map(
    ({ start, end }) =>
      new Map<string, Value>([
        ['index', BigInt(start)],
        ['match', characters.slice(start, end).join('')],
      ]),
  );
}

/** @throws ResourceLimitError when it would grow beyond what a string may hold, before the memory is taken */
function replaced(characters: readonly string[], spans: readonly Span[], replacement: string): string {
  const kept = spans.reduce((left, { start, end }) => left - (end - start), characters.length);
  const length = kept + spans.length * replacement.length;
  if (length > Math.max(MAX_STRING_LENGTH, characters.length))
    throw resourceLimitError('a string grew beyond 256 KB');
  const parts = spans.map(
    ({ start }, at) => characters.slice(spans[at - 1]?.end ?? 0, start).join('') + replacement,
  );
  return parts.join('') + characters.slice(spans.at(-1)?.end ?? 0).join('');
}

function substring(characters: readonly string[], start: number, end: number): string {
  if (start >= 0 && start <= end && end <= characters.length) return characters.slice(start, end).join('');
  throw indexError(`text.substring: ${start} to ${end} is out of range of ${characters.length} characters`);
}

/** Every `%xx` is one byte of UTF-8, and `+` a space. */
function urlDecode(source: string): string {
  if (/%(?![0-9A-Fa-f]{2})/.test(source)) {
    throw valueError('text.url_decode: a % is not followed by two hexadecimal digits');
  }
  return source
    .replaceAll('+', ' ')
    .replace(/(?:%[0-9A-Fa-f]{2})+/g, (run) => Buffer.from(run.replaceAll('%', ''), 'hex').toString('utf8'));
}

/** All but unreserved characters (RFC 3986, 2.3) as `%XX` of their UTF-8 bytes. */
function urlEncode(source: string): string {
  return encodeURIComponent(source.toWellFormed()).replace(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

function pointsOf(text: string): number[] {
  return Array.from(text, (character) => character.codePointAt(0) as number);
}
