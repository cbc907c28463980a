import type { Failure } from './rule-model-reading.ts';

/** A source with one of its lines written differently. */
export interface Candidate {
  line: number;
  text: string;
}

const swaps: [RegExp, string[]][] = [
  [/ \+ /g, [' - ', ' * ']],
  [/ - /g, [' + ']],
  [/ \* /g, [' / ', ' + ']],
  [/ \/ /g, [' * ']],
  [/ < /g, [' > ', ' <= ', ' >= ']],
  [/ > /g, [' < ', ' >= ', ' <= ']],
  [/ <= /g, [' < ', ' >= ']],
  [/ >= /g, [' > ', ' <= ']],
  [/ && /g, [' || ']],
  [/ \|\| /g, [' && ']],
  [/ === /g, [' !== ']],
  [/ !== /g, [' === ']],
];

/** Every edit that the rules suggest, the likeliest first: what the assertion names, before what only might be. */
export function suggestEdits(source: string, functionName: string, failure: Failure): Candidate[] {
  const lines = source.split('\n');
  const order = suspectLines(lines, functionName);
  const rules = isBoolean(failure.expected)
    ? [negations, operators, offByOne, literals]
    : [strings, offByOne, literals, operators, negations];
  const found = rules.flatMap((rule) =>
    order.flatMap((line) => rule(lines[line] ?? '', failure).map((text): Candidate => ({ line, text }))),
  );
  const seen = new Set<string>();
  return found.filter(({ line, text }) => {
    const key = `${line}:${text}`;
    if (seen.has(key) || text === lines[line]) return false;
    seen.add(key);
    return true;
  });
}

/** Lines of the function, then the constants above all functions. */
function suspectLines(lines: string[], name: string): number[] {
  const start = lines.findIndex((line) => line.includes(`function ${name}(`));
  const length = lines.slice(start).indexOf('}');
  const body = Array.from({ length: Math.max(0, length - 1) }, (_, index) => start + 1 + index);
  const constants = lines.flatMap((line, index) => (/^(export )?const /.test(line) ? [index] : []));
  return [...body, ...constants];
}

type Rule = (line: string, failure: Failure) => string[];

const operators: Rule = (line) =>
  swaps.flatMap(([pattern, others]) => others.flatMap((other) => replaceEach(line, pattern, () => other)));

const negations: Rule = (line) => [
  ...replaceEach(line, /return (?!!)(.+);/g, (_, value) => `return !(${value});`),
  ...replaceEach(line, /if \((?!!)(.+)\)/g, (_, value) => `if (!(${value}))`),
  ...replaceEach(line, /!(?=[a-z(])/g, () => ''),
];

const offByOne: Rule = (line) => [
  ...replaceEach(line, / - 1\b/g, () => ''),
  ...replaceEach(line, / \+ 1\b/g, () => ''),
  ...replaceEach(line, /\[(\w+)\.length\]/g, (_, name) => `[${name}.length - 1]`),
  ...replaceEach(line, / < (?=.*;.*;)/g, () => ' <= '),
  ...replaceEach(line, / <= (?=.*;.*;)/g, () => ' < '),
];

/** A wrong number, from how far or how many times the result is off. */
const literals: Rule = (line, { actual, expected }) => {
  const [was, should] = [Number(actual), Number(expected)];
  if (Number.isNaN(was) || Number.isNaN(should)) return [];
  return replaceEach(line, /\b\d+(\.\d+)?\b/g, (literal) => String(Number(literal) + should - was)).concat(
    was === 0
      ? []
      : replaceEach(line, /\b\d+(\.\d+)?\b/g, (literal) => String((Number(literal) * should) / was)),
  );
};

/** A wrong text: what differs between the two values, with a little of what stands around it. */
const strings: Rule = (line, { actual, expected }) => {
  const [was, should] = [unquote(actual), unquote(expected)];
  if (was === undefined || should === undefined) return [];
  const max = Math.min(was.length, should.length);
  let before = 0;
  while (before < max && was[before] === should[before]) before += 1;
  let after = 0;
  while (after < max - before && was.at(-1 - after) === should.at(-1 - after)) after += 1;
  const suggestions: string[] = [];
  for (let around = 4; around >= 0; around -= 1) {
    const left = Math.max(0, before - around);
    const right = Math.max(0, after - around);
    const wrong = was.slice(left, was.length - right);
    if (wrong !== '' && line.includes(wrong)) {
      suggestions.push(line.replace(wrong, () => should.slice(left, should.length - right)));
    }
  }
  return suggestions;
};

/** One copy of the line for each match, with only that match replaced. */
function replaceEach(
  line: string,
  pattern: RegExp,
  replace: (match: string, group: string) => string,
): string[] {
  return [...line.matchAll(pattern)].map((match) => {
    const [all, group = ''] = match;
    return line.slice(0, match.index) + replace(all, group) + line.slice(match.index + all.length);
  });
}

function isBoolean(value: string): boolean {
  return value === 'true' || value === 'false';
}

function unquote(value: string): string | undefined {
  return /^'(.*)'$/.exec(value)?.[1];
}
