export interface TestCounts {
  passed: number;
  failed: number;
  skipped: number;
}

type Reader = (output: string) => TestCounts | undefined;

// oxlint-disable-next-line no-control-regex -- colours start with the escape character
const COLOURS = /\u001b\[[0-9;]*[A-Za-z]/g;
/** Summaries stand at the end. */
const MAX_READ_CHARS = 200_000;

/** Such as `12 passed, 1 failed`; empty where the output is of no known test runner. Says nothing about success: the exit code does. */
export function summariseTests(output: string): string {
  const counts = readTestCounts(output);
  if (counts === undefined) return '';
  const { passed, failed, skipped } = counts;
  if (passed + failed + skipped === 0) return 'no tests ran';
  return [
    `${passed} passed`,
    ...(failed > 0 ? [`${failed} failed`] : []),
    ...(skipped > 0 ? [`${skipped} skipped`] : []),
  ].join(', ');
}

/** What the runners of the output counted, all of them together. */
export function readTestCounts(output: string): TestCounts | undefined {
  const plain = output.slice(-MAX_READ_CHARS).replace(COLOURS, '');
  return READERS.map((read) => read(plain)).find((counts) => counts !== undefined);
}

/** `node --test`: `# pass 3` (tap) or `ℹ pass 3` (spec). */
const readNode: Reader = (output) => {
  const of = (name: string): number[] => numbers(output, new RegExp(`^(?:#|ℹ) ${name} (\\d+)$`, 'gm'));
  if (of('pass').length === 0 || of('fail').length === 0) return undefined;
  return {
    passed: sum(of('pass')),
    failed: sum(of('fail')) + sum(of('cancelled')),
    skipped: sum(of('skipped')) + sum(of('todo')),
  };
};

/** jest `Tests:  1 failed, 2 passed, 3 total`, vitest `Tests  1 failed | 2 passed (3)`. */
const readJest: Reader = (output) => inLines(output, /^\s*Tests:?\s+((?:\d+ \w+[ ,|]*)+.*)$/gm);

/** `=== 1 failed, 2 passed in 0.1s ===`, with -q without the frame. */
const readPytest: Reader = (output) => {
  if (/^=*\s*no tests ran in [\d.]+s/m.test(output)) return { passed: 0, failed: 0, skipped: 0 };
  return inLines(
    output,
    /^=*\s*((?:\d+ (?:passed|failed|errors?|skipped|xfailed|xpassed|warnings?|deselected)(?:, )?)+) in [\d.]+s.*$/gm,
  );
};

/** `test result: ok. 3 passed; 0 failed; 1 ignored; …`, one line for each crate and for the documentation tests. */
const readCargo: Reader = (output) => inLines(output, /^test result: \w+\. (.*)$/gm);

/** `go test -v` names tests; without -v there are only packages. */
const readGo: Reader = (output) => {
  const tests = (word: string): number => numbers(output, new RegExp(`^\\s*--- ${word}: ()`, 'gm')).length;
  const counts = { passed: tests('PASS'), failed: tests('FAIL'), skipped: tests('SKIP') };
  if (counts.passed > 0) return counts;
  const packages = (pattern: RegExp): number => [...output.matchAll(pattern)].length;
  const passed = packages(/^ok\s+\S+\s+(?:[\d.]+s|\(cached\))/gm);
  const failed = packages(/^FAIL\t\S+/gm);
  return passed + failed === 0 ? undefined : { passed, failed, skipped: 0 };
};

/** `Ran 5 tests in 0.1s`, then `OK` or `FAILED (failures=1, errors=1)`. */
const readUnittest: Reader = (output) => {
  const total = numbers(output, /^Ran (\d+) tests? in [\d.]+s$/gm);
  if (total.length === 0) return undefined;
  const failed =
    sum(numbers(output, /^FAILED \(.*?failures=(\d+)/gm)) +
    sum(numbers(output, /^FAILED \(.*?errors=(\d+)/gm));
  const skipped = sum(numbers(output, /^(?:OK|FAILED) \(.*?skipped=(\d+)/gm));
  return { passed: sum(total) - failed - skipped, failed, skipped };
};

/** mocha: `12 passing (3s)`, `1 failing`. */
const readMocha: Reader = (output) => {
  const passing = numbers(output, /^\s*(\d+) passing \(/gm);
  if (passing.length === 0) return undefined;
  return {
    passed: sum(passing),
    failed: sum(numbers(output, /^\s*(\d+) failing$/gm)),
    skipped: sum(numbers(output, /^\s*(\d+) pending$/gm)),
  };
};

const READERS: Reader[] = [readNode, readJest, readPytest, readCargo, readGo, readUnittest, readMocha];

/** Adds up `N word` pairs of the matching lines. */
function inLines(output: string, line: RegExp): TestCounts | undefined {
  const text = [...output.matchAll(line)].map((match) => match[1]).join('\n');
  if (text === '') return undefined;
  const of = (words: string): number => sum(numbers(text, new RegExp(`(\\d+) (?:${words})\\b`, 'g')));
  return {
    passed: of('passed|xpassed'),
    failed: of('failed|errors?'),
    skipped: of('skipped|ignored|todo|xfailed'),
  };
}

function numbers(text: string, pattern: RegExp): number[] {
  return [...text.matchAll(pattern)].map((match) => Number(match[1]));
}

function sum(values: number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
