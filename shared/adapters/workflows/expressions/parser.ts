import { isInteger64, type Value } from '../values.ts';
import { ExpressionError, lex, type Lexed, type Token } from './lexer.ts';
import { createTokenCursor, LOGICAL, unexpected, type TokenCursor } from './token-cursor.ts';
import { dottedName, startOf, type BinaryOperator, type Node } from './tree.ts';

/** How tightly a binary operator binds; all of one strength group from the left. */
const BINARY_POWER: ReadonlyMap<string, number> = new Map([
  ['or', 1],
  ['and', 2],
  ...['<', '<=', '>', '>=', '==', '!=', 'in'].map((operator): [string, number] => [operator, 3]),
  ...['+', '-'].map((operator): [string, number] => [operator, 4]),
  ...['*', '/', '//', '%'].map((operator): [string, number] => [operator, 5]),
]);
/** Unary minus and `not` bind tighter than any binary operator, so `not a == b` is `(not a) == b`. */
const UNARY_POWER = 6;

const CONSTANTS: ReadonlyMap<string, Value> = new Map<string, Value>([
  ['true', true],
  ['True', true],
  ['TRUE', true],
  ['false', false],
  ['False', false],
  ['FALSE', false],
  ['null', null],
]);

export interface Parsed {
  readonly tree: Node;
  readonly unverifiedEscapes: Lexed['unverifiedEscapes'];
}

/**
 * Parses one whole expression, by operator precedence (Pratt).
 *
 * @throws ExpressionError where it stops making sense
 */
export function parse(source: string): Parsed {
  const { tokens, unverifiedEscapes } = lex(source);
  const cursor = createTokenCursor(tokens);
  const tree = expression(cursor, 0);
  if (cursor.peek().kind !== 'end') throw unexpected(cursor.peek());
  return { tree, unverifiedEscapes };
}

/** What follows, as far as operators bind at least as tightly as `power`. */
function expression(cursor: TokenCursor, power: number): Node {
  let left = prefix(cursor);
  for (;;) {
    const { offset } = cursor.peek();
    const operator = operatorOf(cursor.peek());
    if (operator === 'not') throw new ExpressionError("there is no 'not in': write not(a in b)", offset);
    const strength = BINARY_POWER.get(operator ?? '');
    if (strength === undefined || strength < power) return left;
    cursor.next();
    const right = expression(cursor, strength + 1);
    left = { kind: 'binary', operator: operator as BinaryOperator, left, right, offset };
  }
}

function prefix(cursor: TokenCursor): Node {
  const { offset } = cursor.peek();
  const operator = operatorOf(cursor.peek());
  if (operator !== 'not' && operator !== '-') return postfix(cursor);
  cursor.next();
  // The least integer has no positive counterpart, so the sign belongs to the literal.
  const isLiteral = operator === '-' && cursor.peek().kind === 'integer' && !isPostfix(cursor, 1);
  if (isLiteral) return integer(`-${cursor.next().text}`, offset);
  return { kind: 'unary', operator, operand: expression(cursor, UNARY_POWER), offset };
}

function isPostfix(cursor: TokenCursor, ahead = 0): boolean {
  return ['.', '[', '('].some((symbol) => cursor.isAt(symbol, ahead));
}

function postfix(cursor: TokenCursor): Node {
  let node = primary(cursor);
  while (isPostfix(cursor)) {
    const opened = cursor.next();
    if (opened.text === '.') node = member(cursor, node, opened);
    else if (opened.text === '[') node = index(cursor, node, opened);
    else node = call(cursor, node, opened);
  }
  return node;
}

function member(cursor: TokenCursor, object: Node, dot: Token): Node {
  const { kind, text, offset } = cursor.next();
  if (kind === 'word') return { kind: 'member', object, member: text, offset };
  throw new ExpressionError('a \'.\' is followed by a key; other keys are written as ["key"]', dot.offset);
}

function index(cursor: TokenCursor, object: Node, opened: Token): Node {
  const key = expression(cursor, 0);
  cursor.expect(']', opened);
  return { kind: 'index', object, key, offset: opened.offset };
}

function call(cursor: TokenCursor, callee: Node, opened: Token): Node {
  const name = dottedName(callee);
  if (name === undefined) {
    throw new ExpressionError('only a function or a subworkflow can be called, by its name', opened.offset);
  }
  const args = separated(cursor, opened, expressionItem);
  return { kind: 'call', name, args, offset: startOf(callee) };
}

function primary(cursor: TokenCursor): Node {
  const token = cursor.next();
  const { kind, text, offset } = token;
  if (kind === 'string') return { kind: 'literal', value: text, offset };
  if (kind === 'integer') return integer(text, offset);
  if (kind === 'double') return { kind: 'literal', value: Number(text), offset };
  if (kind === 'word' && operatorOf(token) === undefined) return named(text, offset);
  if (kind === 'symbol') return bracketed(cursor, token);
  throw unexpected(token);
}

function named(name: string, offset: number): Node {
  const value = CONSTANTS.get(name);
  return value === undefined ? { kind: 'name', name, offset } : { kind: 'literal', value, offset };
}

function bracketed(cursor: TokenCursor, opened: Token): Node {
  const { text, offset } = opened;
  if (text === '[') return { kind: 'list', items: separated(cursor, opened, expressionItem), offset };
  if (text === '{') return { kind: 'map', entries: separated(cursor, opened, mapEntry), offset };
  if (text !== '(') throw unexpected(opened);
  const inner = expression(cursor, 0);
  cursor.expect(')', opened);
  return inner;
}

const CLOSING: Readonly<Record<string, string>> = { '(': ')', '[': ']', '{': '}' };

type Item<T> = (cursor: TokenCursor, opened: Token) => T;

const expressionItem: Item<Node> = (cursor) => expression(cursor, 0);

const mapEntry: Item<readonly [Node, Node]> = (cursor, opened) => {
  const key = expression(cursor, 0);
  cursor.expect(':', opened);
  return [key, expression(cursor, 0)];
};

/** Items with commas between them, and the bracket that closes them. */
function separated<T>(cursor: TokenCursor, opened: Token, item: Item<T>): T[] {
  const closing = CLOSING[opened.text] as string;
  const items: T[] = [];
  if (cursor.take(closing)) return items;
  do items.push(item(cursor, opened));
  while (cursor.take(','));
  cursor.expect(closing, opened);
  return items;
}

function operatorOf({ kind, text }: Token): string | undefined {
  if (kind === 'word') return text === 'in' ? 'in' : LOGICAL.get(text);
  return kind === 'symbol' && BINARY_POWER.has(text) ? text : undefined;
}

function integer(digits: string, offset: number): Node {
  const value = BigInt(digits);
  if (isInteger64(value)) return { kind: 'literal', value, offset };
  throw new ExpressionError(`${value} does not fit in a 64-bit integer`, offset);
}
