import type { Cursor } from './cursor.ts';
import { ignoringCase } from './sets.ts';
import type { Test } from './tree.ts';

/** `(?i)`, `(?m)`, `(?s)`. `U` and lazy repetition change nothing, since the longest match is taken. */
export interface Flags {
  readonly ignoresCase: boolean;
  readonly isMultiline: boolean;
  readonly dotIsAll: boolean;
}

export const NO_FLAGS: Flags = { ignoresCase: false, isMultiline: false, dotIsAll: false };

/** `(?i)` and the like, which hold until the group around them ends; undefined when none stands here. */
export function inlineFlags(cursor: Cursor, flags: Flags): Flags | undefined {
  const match = cursor.match(/^\(\?([imsU]+)?(?:-([imsU]+))?\)/);
  return match === undefined ? undefined : changed(flags, match);
}

/** Reads how a group begins: `(`, `(?:`, `(?i:`, `(?P<name>`. */
export function groupFlags(cursor: Cursor, outer: Flags): Flags {
  if (cursor.match(/^\((?!\?)/) ?? cursor.match(/^\(\?P?<[A-Za-z_]\w*>/)) return outer;
  const match = cursor.match(/^\(\?([imsU]+)?(?:-([imsU]+))?:/);
  if (match === undefined) throw cursor.wrong('(? begins no group that RE2 has (it cannot look around)');
  return changed(outer, match);
}

function changed(flags: Flags, [, on = '', off = '']: RegExpExecArray): Flags {
  const flag = (letter: string, before: boolean): boolean =>
    (before || on.includes(letter)) && !off.includes(letter);
  return {
    ignoresCase: flag('i', flags.ignoresCase),
    isMultiline: flag('m', flags.isMultiline),
    dotIsAll: flag('s', flags.dotIsAll),
  };
}

/** The set, in both cases of its letters if the flags say so. */
export function cased(test: Test, { ignoresCase }: Flags): Test {
  return ignoresCase ? ignoringCase(test) : test;
}
