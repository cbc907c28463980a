import { isWordPoint, type Test } from './tree.ts';

const isDigit: Test = (point) => point >= 0x30 && point <= 0x39;
const isSpace: Test = (point) =>
  point === 0x20 || point === 0x0c || (point >= 0x09 && point <= 0x0d && point !== 0x0b);

/** `\d` and the like: ASCII only, as in RE2. */
export const PERL_SETS: ReadonlyMap<string, Test> = new Map([
  ['d', isDigit],
  ['D', negated(isDigit)],
  ['s', isSpace],
  ['S', negated(isSpace)],
  ['w', isWordPoint],
  ['W', negated(isWordPoint)],
]);

/** `[:alpha:]` and the like, within brackets. */
export const POSIX_SETS: ReadonlyMap<string, Test> = new Map(
  Object.entries({
    alnum: /[A-Za-z0-9]/,
    alpha: /[A-Za-z]/,
    // oxlint-disable-next-line no-control-regex -- the class is the control characters and more.
    ascii: /[\x00-\x7f]/,
    blank: /[\t ]/,
    // oxlint-disable-next-line no-control-regex -- the class is the control characters.
    cntrl: /[\x00-\x1f\x7f]/,
    digit: /[0-9]/,
    graph: /[!-~]/,
    lower: /[a-z]/,
    print: /[ -~]/,
    punct: /[!-/:-@[-`{-~]/,
    space: /[\t\n\v\f\r ]/,
    upper: /[A-Z]/,
    word: /\w/,
    xdigit: /[0-9A-Fa-f]/,
  }).map(([name, pattern]) => [name, (point) => pattern.test(String.fromCodePoint(point))]),
);

/** `\p{Greek}`, `\pL`: a general category or a script; undefined when Unicode has none of that name. */
export function unicodeSet(name: string): Test | undefined {
  for (const property of [`General_Category=${name}`, `Script=${name}`]) {
    try {
      const pattern = new RegExp(`\\p{${property}}`, 'u');
      return (point) => pattern.test(String.fromCodePoint(point));
    } catch {
      // Not a name of this property: the next one is tried.
    }
  }
  return undefined;
}

export function negated(test: Test): Test {
  return (point) => !test(point);
}

export function anyOf(tests: readonly Test[]): Test {
  return (point) => tests.some((test) => test(point));
}

export function onlyPoint(only: number): Test {
  return (other) => other === only;
}

export function range(first: number, last: number): Test {
  return (other) => other >= first && other <= last;
}

/** The same set, with every letter in both its cases. */
export function ignoringCase(test: Test): Test {
  return (point) => {
    if (test(point)) return true;
    const character = String.fromCodePoint(point);
    return [character.toLowerCase(), character.toUpperCase()].some(
      (other) => isOnePoint(other) && test(other.codePointAt(0) ?? 0),
    );
  };
}

function isOnePoint(text: string): boolean {
  return text.length === ((text.codePointAt(0) ?? 0) > 0xffff ? 2 : 1);
}
