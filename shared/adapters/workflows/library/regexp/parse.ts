import { createCursor, type Cursor } from './cursor.ts';
import { cased, groupFlags, inlineFlags, NO_FLAGS, type Flags } from './flags.ts';
import { parseBrackets, parseEscaped } from './parse-set.ts';
import { onlyPoint } from './sets.ts';
import type { Assertion, RegexpNode, Test } from './tree.ts';

/** As in RE2. */
const MAX_REPEAT = 1000;

const ASSERTIONS: ReadonlyMap<string, Assertion> = new Map([
  ['A', 'textStart'],
  ['z', 'textEnd'],
  ['b', 'wordEdge'],
  ['B', 'noWordEdge'],
]);

const NEWLINE = 0x0a;

/**
 * Parses RE2 syntax (https://github.com/google/re2/wiki/Syntax). What RE2 does not have, backreferences and
 * looking around among it, is refused.
 *
 * @throws ValueError that says what is wrong and at which character
 */
export function parseRegexp(pattern: string): RegexpNode {
  const cursor = createCursor(pattern);
  const node = choice(cursor, NO_FLAGS);
  if (!cursor.isEnd()) throw cursor.wrong("a ')' closes nothing");
  return node;
}

/** Flags set by `(?i)` go on beyond a `|`. */
function choice(cursor: Cursor, outer: Flags): RegexpNode {
  const items: RegexpNode[] = [];
  let flags = outer;
  do {
    const { node, after } = sequence(cursor, flags);
    items.push(node);
    flags = after;
  } while (cursor.take('|'));
  return items.length === 1 ? (items[0] as RegexpNode) : { kind: 'choice', items };
}

function sequence(cursor: Cursor, outer: Flags): { node: RegexpNode; after: Flags } {
  const items: RegexpNode[] = [];
  let flags = outer;
  while (!cursor.isEnd() && cursor.peek() !== '|' && cursor.peek() !== ')') {
    const changed = inlineFlags(cursor, flags);
    if (changed === undefined) items.push(repeated(cursor, atom(cursor, flags)));
    else flags = changed;
  }
  return { node: items.length === 0 ? { kind: 'empty' } : { kind: 'sequence', items }, after: flags };
}

function atom(cursor: Cursor, flags: Flags): RegexpNode {
  switch (cursor.peek()) {
    case '(':
      return group(cursor, flags);
    case '[':
      return one(parseBrackets(cursor, flags));
    case '\\':
      return escaped(cursor, flags);
    default:
      return symbol(cursor, flags);
  }
}

function symbol(cursor: Cursor, flags: Flags): RegexpNode {
  const character = cursor.next();
  switch (character) {
    case '*':
    case '+':
    case '?':
      throw cursor.wrong(`nothing to repeat with ${character}`);
    case '.':
      return one(flags.dotIsAll ? () => true : (other) => other !== NEWLINE);
    case '^':
      return { kind: 'assert', assertion: flags.isMultiline ? 'lineStart' : 'textStart' };
    case '$':
      return { kind: 'assert', assertion: flags.isMultiline ? 'lineEnd' : 'textEnd' };
    default:
      return literal(character, flags);
  }
}

function group(cursor: Cursor, outer: Flags): RegexpNode {
  cursor.enter();
  const node = choice(cursor, groupFlags(cursor, outer));
  if (!cursor.take(')')) throw cursor.wrong('a group is not closed');
  cursor.leave();
  return node;
}

function escaped(cursor: Cursor, flags: Flags): RegexpNode {
  if (cursor.take('\\Q')) return quoted(cursor, flags);
  const assertion = ASSERTIONS.get(cursor.peek(1));
  if (assertion === undefined) return one(cased(parseEscaped(cursor), flags));
  cursor.next();
  cursor.next();
  return { kind: 'assert', assertion };
}

/** `\Q…\E`: all between stands for itself. */
function quoted(cursor: Cursor, flags: Flags): RegexpNode {
  const items: RegexpNode[] = [];
  while (!cursor.isEnd() && !cursor.take('\\E')) items.push(literal(cursor.next(), flags));
  return { kind: 'sequence', items };
}

function repeated(cursor: Cursor, item: RegexpNode): RegexpNode {
  const counts = repetition(cursor);
  if (counts === undefined) return item;
  cursor.take('?');
  if (repetition(cursor) !== undefined) throw cursor.wrong('a repetition cannot itself be repeated');
  return { kind: 'repeat', item, least: counts[0], most: counts[1] };
}

function repetition(cursor: Cursor): [number, number] | undefined {
  if (cursor.take('*')) return [0, Infinity];
  if (cursor.take('+')) return [1, Infinity];
  if (cursor.take('?')) return [0, 1];
  const match = cursor.match(/^\{(\d{1,5})(,(\d{1,5})?)?\}/);
  if (match === undefined) return undefined;
  const least = Number(match[1]);
  const most = match[2] === undefined ? least : Number(match[3] ?? Infinity);
  if (least > MAX_REPEAT || (most !== Infinity && most > MAX_REPEAT))
    throw cursor.wrong(`a count is above ${MAX_REPEAT}`);
  if (most < least) throw cursor.wrong('a repetition ends before it begins');
  return [least, most];
}

function literal(character: string, flags: Flags): RegexpNode {
  return one(cased(onlyPoint(character.codePointAt(0) as number), flags));
}

function one(test: Test): RegexpNode {
  return { kind: 'one', test };
}
