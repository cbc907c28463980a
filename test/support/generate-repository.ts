export const bugKinds = ['operator', 'constant', 'off_by_one', 'string', 'negation'] as const;
export type BugKind = (typeof bugKinds)[number];

export interface GeneratedRepository {
  name: string;
  kind: BugKind;
  /** Path → content: an npm package without dependencies whose `npm test` is red because of one bug. */
  files: Record<string, string>;
}

/** A function with a bug, tests that see it, and a healthy neighbour in the same file. */
interface Case {
  module: string;
  /** Lines of source; the bug is in one of them. */
  source: string[];
  /** Name of the function and `[arguments, expected]` as JavaScript text; at least one fails. */
  call: string;
  tests: [string, string][];
}

type Pick = <T>(values: readonly T[]) => T;
type Between = (low: number, high: number) => number;
type CaseMaker = (pick: Pick, between: Between) => Case;

/** The same repositories for the same seed; the kinds take turns. */
export function generateRepositories(seed: number, count: number): GeneratedRepository[] {
  const random = mulberry32(seed);
  const between: Between = (low, high) => low + Math.floor(random() * (high - low + 1));
  const pick: Pick = (values) => {
    const value = values[between(0, values.length - 1)];
    if (value === undefined) throw new Error('nothing to pick from');
    return value;
  };
  return Array.from({ length: count }, (_, index) => {
    const kind = bugKinds[index % bugKinds.length] ?? 'operator';
    const made = pick(makers[kind])(pick, between);
    return { name: `${made.module}-${index}`, kind, files: toFiles(made, `${made.module}-${index}`, pick) };
  });
}

const makers: Record<BugKind, readonly CaseMaker[]> = {
  operator: [
    (pick, between) => {
      const [good, bad] = pick([
        ['+', '-'],
        ['-', '+'],
        ['*', '+'],
        ['*', '/'],
      ] as const);
      const call = pick(['combine', 'merge', 'settle']);
      const tests = [
        [between(6, 9), between(3, 5)],
        [between(12, 20), between(7, 9)],
      ].map(([a = 0, b = 0]): [string, string] => [`${a}, ${b}`, String(calculate(a, good, b))]);
      return {
        module: 'arithmetic',
        call,
        source: [`export function ${call}(left, right) {`, `  return left ${bad} right;`, '}'],
        tests,
      };
    },
    (pick, between) => {
      const limit = between(10, 60);
      const call = pick(['isLarge', 'reachesLimit', 'mayPass']);
      const source = [
        `const LIMIT = ${limit};`,
        '',
        `export function ${call}(size) {`,
        '  return size < LIMIT;',
        '}',
      ];
      return {
        module: 'limits',
        call,
        source,
        tests: [
          [`${limit + 5}`, 'true'],
          [`${limit}`, 'false'],
          [`${limit - 5}`, 'false'],
        ],
      };
    },
  ],
  constant: [
    (pick, between) => {
      const good = between(3, 9);
      const call = pick(['priceOf', 'weightOf', 'pointsFor']);
      const source = [
        `const PER_PIECE = ${good + between(2, 5)};`,
        '',
        `export function ${call}(pieces) {`,
        '  return pieces * PER_PIECE;',
        '}',
      ];
      return {
        module: 'pricing',
        call,
        source,
        tests: [
          ['0', '0'],
          ['2', `${2 * good}`],
          ['10', `${10 * good}`],
        ],
      };
    },
    (pick, between) => {
      const good = between(20, 90);
      const call = pick(['withFee', 'withShipping']);
      const source = [`export function ${call}(amount) {`, `  return amount + ${good - between(2, 9)};`, '}'];
      return {
        module: 'fees',
        call,
        source,
        tests: [
          ['100', `${100 + good}`],
          ['7', `${7 + good}`],
        ],
      };
    },
  ],
  off_by_one: [
    (pick) => {
      const call = pick(['sum', 'total', 'addUp']);
      const source = [
        `export function ${call}(numbers) {`,
        '  let result = 0;',
        '  for (let i = 0; i < numbers.length - 1; i += 1) {',
        '    result += numbers[i];',
        '  }',
        '  return result;',
        '}',
      ];
      return {
        module: 'series',
        call,
        source,
        tests: [
          ['[2, 3, 4]', '9'],
          ['[5]', '5'],
          ['[]', '0'],
        ],
      };
    },
    (pick) => {
      const call = pick(['last', 'newest', 'finalOf']);
      const source = [`export function ${call}(items) {`, '  return items[items.length];', '}'];
      return {
        module: 'lists',
        call,
        source,
        tests: [
          ["['a', 'b', 'c']", "'c'"],
          ['[7]', '7'],
        ],
      };
    },
    (pick, between) => {
      const call = pick(['firstFew', 'head', 'top']);
      const n = between(2, 3);
      const source = [`export function ${call}(items, count) {`, '  return items.slice(0, count - 1);', '}'];
      return {
        module: 'pages',
        call,
        source,
        tests: [[`[4, 5, 6, 7], ${n}`, `[${[4, 5, 6].slice(0, n).join(', ')}]`]],
      };
    },
  ],
  string: [
    (pick) => {
      const [good, bad] = pick([
        ['Hello', 'Helo'],
        ['Good morning', 'Good mourning'],
        ['Welcome', 'Welcom'],
      ] as const);
      const call = pick(['greet', 'salute']);
      const source = [`export function ${call}(name) {`, `  return \`${bad}, \${name}!\`;`, '}'];
      return {
        module: 'greeting',
        call,
        source,
        tests: [
          ["'Ada'", `'${good}, Ada!'`],
          ["'Bo'", `'${good}, Bo!'`],
        ],
      };
    },
    (pick) => {
      const [good, bad] = pick([
        ['closed', 'close'],
        ['in progress', 'in_progress'],
        ['waiting', 'wating'],
      ] as const);
      const call = pick(['labelOf', 'stateName']);
      const source = [`export function ${call}(isDone) {`, `  return isDone ? '${bad}' : 'open';`, '}'];
      return {
        module: 'labels',
        call,
        source,
        tests: [
          ['false', "'open'"],
          ['true', `'${good}'`],
        ],
      };
    },
  ],
  negation: [
    (pick) => {
      const call = pick(['isMissing', 'isUnknown']);
      const source = [`export function ${call}(items, item) {`, '  return items.includes(item);', '}'];
      return {
        module: 'membership',
        call,
        source,
        tests: [
          ["['a'], 'b'", 'true'],
          ["['a'], 'a'", 'false'],
        ],
      };
    },
    (pick) => {
      const call = pick(['describe', 'statusOf']);
      const source = [
        `export function ${call}(user) {`,
        '  if (user.active) {',
        "    return 'suspended';",
        '  }',
        "  return 'welcome';",
        '}',
      ];
      return {
        module: 'users',
        call,
        source,
        tests: [
          ['{ active: true }', "'welcome'"],
          ['{ active: false }', "'suspended'"],
        ],
      };
    },
  ],
};

/**
 * The files with a contract that says how to test them, in one process. Without it the manifest says so: npm is started for every
 * check, and Node starts another process for every test file.
 */
export function withContract(files: Record<string, string>): Record<string, string> {
  return { ...files, '.github/penstock.yml': 'test: node --test --test-isolation=none\n' };
}

function toFiles({ module, source, call, tests }: Case, name: string, pick: Pick): Record<string, string> {
  const neighbour = pick(['identity', 'asIs', 'unchanged']);
  const healthy = [`export function ${neighbour}(value) {`, '  return value;', '}'];
  const packageJson = {
    name,
    version: '1.0.0',
    private: true,
    type: 'module',
    scripts: { test: 'node --test' },
  };
  const checks = tests.map(([given, expected]) => [
    `test('${call}(${given.replaceAll("'", '')})', () => {`,
    `  assert.deepEqual(${call}(${given}), ${expected});`,
    '});',
  ]);
  const test = [
    "import assert from 'node:assert/strict';",
    "import { test } from 'node:test';",
    `import { ${call}, ${neighbour} } from '../src/${module}.js';`,
    '',
    ...checks.flat(),
    `test('${neighbour}', () => {`,
    `  assert.equal(${neighbour}(3), 3);`,
    '});',
  ];
  return {
    'package.json': `${JSON.stringify(packageJson, undefined, 2)}\n`,
    'README.md': `# ${name}\n\nRun the tests with \`npm test\`.\n`,
    [`src/${module}.js`]: `${[...healthy, '', ...source].join('\n')}\n`,
    [`test/${module}.test.js`]: `${test.join('\n')}\n`,
  };
}

function calculate(a: number, operator: '+' | '-' | '*', b: number): number {
  if (operator === '+') return a + b;
  return operator === '-' ? a - b : a * b;
}

/** A small seeded generator of numbers in [0, 1). */
export function mulberry32(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}
