import { valueError } from '../../errors.ts';

/** Where a parser stands in a pattern, by characters. */
export interface Cursor {
  /** The character here or so many further on; empty beyond the end. */
  peek(ahead?: number): string;
  isEnd(): boolean;
  /** The character here, and past it. */
  next(): string;
  /** Past `text` if it stands here. */
  take(text: string): boolean;
  /** Past what an ASCII-only expression that begins with `^` matches here, if it does. */
  match(expression: RegExp): RegExpExecArray | undefined;
  /** Enters a group. @throws ValueError when they are nested too deeply */
  enter(): void;
  leave(): void;
  wrong(what: string): Error;
}

/** As in RE2. */
const MAX_DEPTH = 1000;
/** As far as `match` looks: no name or count of RE2 is longer. */
const MAX_MATCH = 64;

export function createCursor(pattern: string): Cursor {
  const characters = Array.from(pattern);
  let position = 0;
  let depth = 0;
  const wrong = (what: string): Error => valueError(`regular expression: ${what} at character ${position}`);
  return {
    peek: (ahead = 0) => characters[position + ahead] ?? '',
    isEnd: () => position >= characters.length,
    next() {
      if (position >= characters.length) throw wrong('it ends too early');
      return characters[position++] as string;
    },
    take(text) {
      if (characters.slice(position, position + text.length).join('') !== text) return false;
      position += text.length;
      return true;
    },
    match(expression) {
      const found = expression.exec(characters.slice(position, position + MAX_MATCH).join('')) ?? undefined;
      position += found?.[0].length ?? 0;
      return found;
    },
    enter() {
      depth += 1;
      if (depth > MAX_DEPTH) throw wrong('groups are nested too deeply');
    },
    leave: () => void (depth -= 1),
    wrong,
  };
}
