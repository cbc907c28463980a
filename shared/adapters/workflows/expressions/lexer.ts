/** A part of an expression that has no meaning; caught where expressions are compiled. */
export class ExpressionError extends Error {
  override readonly name = 'ExpressionError';
  readonly offset: number;

  constructor(message: string, offset: number) {
    super(message);
    this.offset = offset;
  }
}

export interface Token {
  /** Names and keywords are both words: after a dot, `in` is a key. */
  readonly kind: 'integer' | 'double' | 'string' | 'word' | 'symbol' | 'end';
  /** The source of it; of a string, its characters. */
  readonly text: string;
  readonly offset: number;
}

export interface Lexed {
  readonly tokens: readonly Token[];
  /** Escapes that Google's texts do not show. */
  readonly unverifiedEscapes: readonly Token[];
}

const SPACE = /[ \t\r\n]+/y;
const WORD = /[A-Za-z_][A-Za-z0-9_]*/y;
const NUMBER = /\d+(\.\d+)?/y;
const SYMBOL = /==|!=|<=|>=|\/\/|[()[\]{},.:+\-*/%<>]/y;
const PLAIN_STRING = { '"': /[^"\\]+/y, "'": /[^'\\]+/y };

const SHOWN_ESCAPES: Readonly<Record<string, string>> = { '"': '"', '\\': '\\', n: '\n' };
const OTHER_ESCAPES: Readonly<Record<string, string>> = {
  "'": "'",
  '/': '/',
  b: '\b',
  f: '\f',
  r: '\r',
  t: '\t',
};

const ADVICE: Readonly<Record<string, string>> = {
  '=': "two values are compared with '=='",
  '!': "write 'not', or '!=' to compare",
  '&': "write 'and'",
  '|': "write 'or'",
  '?': 'write if(condition, whenTrue, whenFalse)',
  $: "an expression has one '${' and ends at its '}'",
};

/**
 * Cuts an expression into tokens, the last of kind `end`.
 *
 * @throws ExpressionError at a character that begins nothing
 */
export function lex(source: string): Lexed {
  const tokens: Token[] = [];
  const unverifiedEscapes: Token[] = [];
  let offset = skip(SPACE, source, 0);
  while (offset < source.length) {
    const { token, end } = nextToken(source, offset, unverifiedEscapes);
    tokens.push(token);
    offset = skip(SPACE, source, end);
  }
  tokens.push({ kind: 'end', text: '', offset });
  return { tokens, unverifiedEscapes };
}

function nextToken(source: string, offset: number, unverified: Token[]): { token: Token; end: number } {
  const first = source.charAt(offset);
  if (first === '"' || first === "'") return stringToken(source, offset, unverified);
  const word = take(WORD, source, offset);
  if (word !== '') return { token: { kind: 'word', text: word, offset }, end: offset + word.length };
  const number = take(NUMBER, source, offset);
  if (number !== '') return numberToken(source, number, offset);
  const symbol = take(SYMBOL, source, offset);
  if (symbol !== '') return { token: { kind: 'symbol', text: symbol, offset }, end: offset + symbol.length };
  const advice = Object.hasOwn(ADVICE, first) ? `: ${ADVICE[first]}` : '';
  throw new ExpressionError(`'${characterAt(source, offset)}' has no meaning here${advice}`, offset);
}

function numberToken(source: string, text: string, offset: number): { token: Token; end: number } {
  const end = offset + text.length;
  if (take(WORD, source, end) !== '') {
    throw new ExpressionError(`a number is digits, or digits with a point and digits after it`, offset);
  }
  return { token: { kind: text.includes('.') ? 'double' : 'integer', text, offset }, end };
}

function stringToken(source: string, offset: number, unverified: Token[]): { token: Token; end: number } {
  const quote = source.charAt(offset) as '"' | "'";
  let text = '';
  let at = offset + 1;
  while (at < source.length && source.charAt(at) !== quote) {
    const plain = take(PLAIN_STRING[quote], source, at);
    const escape = plain === '' ? escapeAt(source, at) : undefined;
    if (escape?.isShown === false) unverified.push({ kind: 'string', text: escape.source, offset: at });
    text += escape?.text ?? plain;
    at += escape?.source.length ?? plain.length;
  }
  if (at >= source.length)
    throw new ExpressionError(`a string begins here and has no closing ${quote}`, offset);
  return { token: { kind: 'string', text, offset }, end: at + 1 };
}

function escapeAt(source: string, at: number): { text: string; source: string; isShown: boolean } {
  const unicode = take(/\\u[0-9A-Fa-f]{4}/y, source, at);
  if (unicode !== '') {
    return { text: String.fromCharCode(parseInt(unicode.slice(2), 16)), source: unicode, isShown: false };
  }
  const letter = source.charAt(at + 1);
  const isShown = Object.hasOwn(SHOWN_ESCAPES, letter);
  const text = isShown
    ? SHOWN_ESCAPES[letter]
    : Object.hasOwn(OTHER_ESCAPES, letter) && OTHER_ESCAPES[letter];
  if (typeof text !== 'string') {
    throw new ExpressionError(
      `'\\${characterAt(source, at + 1)}' is not an escape: \\" \\\\ and \\n are`,
      at,
    );
  }
  return { text, source: source.slice(at, at + 2), isShown };
}

function take(pattern: RegExp, source: string, offset: number): string {
  pattern.lastIndex = offset;
  return pattern.exec(source)?.[0] ?? '';
}

function skip(pattern: RegExp, source: string, offset: number): number {
  return offset + take(pattern, source, offset).length;
}

function characterAt(source: string, offset: number): string {
  const point = source.codePointAt(offset);
  return point === undefined ? '' : String.fromCodePoint(point);
}
