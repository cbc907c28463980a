import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { loadWorkflow } from '../../shared/adapters/workflows/syntax/load-workflow.ts';
import type { Problem } from '../../shared/adapters/workflows/syntax/problems.ts';

/** One of every construct, so that a change to it is a near miss of something. */
const RIGHT = `main:
  params: [input]
  steps:
    - init:
        assign:
          - list: [1, 2.5, "\${1 + 2}", null]
          - map: {a: {b: true}, "\${input.key}": x}
          - map.a["c"]: \${list[0] // 2}
    - each:
        for:
          value: v
          index: i
          in: \${list}
          steps:
            - skip:
                switch:
                  - condition: \${v == null}
                    next: continue
                  - condition: true
                    steps:
                      - add: {assign: [{total: "\${default(map.get(map, \\"total\\"), 0) + i}"}]}
    - both:
        parallel:
          shared: [list]
          concurrency_limit: 2
          branches:
            - one: {steps: [{a: {call: sys.log, args: {text: hello}}}]}
            - two: {steps: [{b: {call: hello, args: {name: Ada}, result: answer}}]}
    - risky:
        try:
          call: http.get
          args: {url: "https://example.com", auth: {type: OIDC}}
          result: list
        retry:
          predicate: \${http.default_retry_predicate}
          max_retries: 3
          backoff: {initial_delay: 1, max_delay: 60, multiplier: 2}
        except:
          as: e
          steps:
            - again: {raise: "\${e}"}
        next: done
    - done:
        return: \${hello("Bob")}
hello:
  params: [name, greeting: "Hello"]
  steps:
    - say: {return: "\${greeting + \\" \\" + name}"}
`;

const PIECES = [
  '- ',
  ': ',
  '\n',
  '  ',
  '[',
  ']',
  '{',
  '}',
  '"',
  "'",
  '${',
  '}',
  '&a ',
  '*a',
  '<<: *a',
  '|',
  '>',
  '#',
  '? ',
  '---\n',
  '...\n',
  '!!binary ',
  '!tag ',
  '%YAML',
  '\t',
  '\0',
  '\u2028',
  '\ud800',
  'main',
  'steps',
  'assign',
  'call',
  'switch',
  'for',
  'in',
  'range',
  'parallel',
  'branches',
  'shared',
  'try',
  'retry',
  'except',
  'raise',
  'return',
  'next',
  'end',
  'continue',
  'params',
  '__proto__',
  'constructor',
  'toString',
  'null',
  '1e999',
  '0x10',
  '-9223372036854775809',
  '.nan',
  '2026-01-01',
];

const STEP_KEYS = [
  'assign',
  'call',
  'args',
  'result',
  'switch',
  'condition',
  'for',
  'value',
  'index',
  'in',
  'range',
  'parallel',
  'shared',
  'branches',
  'concurrency_limit',
  'exception_policy',
  'try',
  'retry',
  'except',
  'as',
  'raise',
  'return',
  'next',
  'steps',
  'params',
  'main',
  'sub',
  '__proto__',
  'constructor',
];

/** Any 16 bits, characters or not: `unit: 'binary'` takes a second to set up here. */
const anyUnit = fc.nat(0xffff).map((code) => String.fromCharCode(code));

function load(text: string): Problem[] {
  const { workflow, problems } = loadWorkflow(text);
  const lines = text.split(/\r\n|\r|\n/).length;
  const isPlaced = ({ line, column }: Problem): boolean => line >= 1 && line <= lines + 1 && column >= 1;
  expect(workflow === undefined).toBe(problems.some(({ severity }) => severity === 'error'));
  expect(problems.filter((problem) => problem.message === '' || !isPlaced(problem))).toEqual([]);
  return problems;
}

/** The load, and that it took less than a second of this process's time, however busy the machine is. */
function loadSoon(text: string): Problem[] {
  const before = process.cpuUsage();
  const problems = load(text);
  const { user, system } = process.cpuUsage(before);
  expect(user + system).toBeLessThan(1_000_000);
  return problems;
}

describe('the loader', () => {
  it('takes the workflow that the others here are changes of', () => {
    expect(load(RIGHT)).toEqual([]);
  });

  it('takes any text, or says what is wrong and where', () => {
    fc.assert(
      fc.property(fc.string({ unit: anyUnit, maxLength: 300 }), (text) => void load(text)),
      { numRuns: 30 },
    );
    const pieces = fc.array(fc.constantFrom(...PIECES), { maxLength: 40 }).map((parts) => parts.join(''));
    fc.assert(
      fc.property(pieces, (text) => void load(text)),
      { numRuns: 60 },
    );
  });

  it('takes any change to a workflow that was right', () => {
    const change = fc.tuple(fc.nat(RIGHT.length), fc.nat(12), fc.constantFrom('', ...PIECES));
    const changed = fc
      .array(change, { minLength: 1, maxLength: 3 })
      .map((changes) =>
        changes.reduce((text, [at, cut, piece]) => text.slice(0, at) + piece + text.slice(at + cut), RIGHT),
      );
    fc.assert(
      fc.property(changed, (text) => void load(text)),
      { numRuns: 60 },
    );
  });

  it('takes the keys of steps in any arrangement', () => {
    const { node } = fc.letrec<{ node: unknown }>((tie) => ({
      node: fc.oneof(
        { maxDepth: 6, depthSize: 'small' },
        fc.constantFrom(null, true, 1, 1.5, 'end', 'a', '${a}', '${', '${1 +}', 'http.get', 'sub'),
        fc.array(tie('node'), { maxLength: 3 }),
        fc
          .array(fc.tuple(fc.constantFrom(...STEP_KEYS), tie('node')), { maxLength: 4 })
          .map((entries) => Object.fromEntries(entries)),
      ),
    }));
    const list = fc.array(
      fc.dictionary(fc.constantFrom('a', 'b', '__proto__'), node, { minKeys: 1, maxKeys: 1 }),
      { minLength: 1, maxLength: 3 },
    );
    fc.assert(
      fc.property(list, (steps) => void load(JSON.stringify(steps))),
      { numRuns: 100 },
    );
  });
});

describe('a source meant to do harm', () => {
  const aliases = (depth: number): string =>
    Array.from(
      { length: depth },
      (_, at) =>
        `a${at}: &a${at} [${at === 0 ? 'x' : `*a${at - 1}, *a${at - 1}, *a${at - 1}, *a${at - 1}, *a${at - 1}`}]`,
    ).join('\n');

  it.each<[string, string]>([
    ['aliases that multiply', aliases(30)],
    ['an alias to what it stands in', 'main: &a\n  steps: [*a]\n'],
    ['a merge of itself', 'main: &a\n  <<: *a\n'],
    ['lists without end', '['.repeat(6_000)],
    ['lists as deep as the source is long', `${'['.repeat(6_000)}${']'.repeat(6_000)}`],
    ['maps as deep as the source is long', '{a: '.repeat(4_000)],
    ['JSON as deep as the source is long', `${'{"a":'.repeat(6_000)}1${'}'.repeat(6_000)}`],
    [
      'blocks as deep as they can be',
      Array.from({ length: 480 }, (_, at) => `${' '.repeat(at)}a:`).join('\n'),
    ],
    ['lists in lists', '- '.repeat(15_000)],
    ['an expression of one bracket', `- a:\n    return: \${${'('.repeat(50_000)}}`],
    ['a key of the whole source', `${'k'.repeat(120_000)}: 1`],
    ['a thousand errors', '- a: {nope: 1}\n'.repeat(1500)],
    ['a number without end', `- a: {return: ${'9'.repeat(50_000)}}`],
    ['a source that is too large', '#'.repeat(200_000)],
    ['a type of its own', '- a: {return: !!js/function "() => 1"}'],
    ['many documents', '---\n'.repeat(2000)],
    ['flow maps that never close', '- a: {b: ['.repeat(500)],
    ['quotes that never close', '- a: "'.repeat(1000)],
    ['keys without end', `- a: {${Array.from({ length: 5000 }, (_, at) => `k${at}: 1`).join(', ')}}`],
    ['one key again and again', `- a:\n${'    return: 1\n'.repeat(3000)}`],
    ['comments and tabs', '\t#\n'.repeat(8000)],
    ['long plain words', `- a: ${'b: '.repeat(2000)}`],
  ])('of %s is read in less than a second, with a reason', (_, text) => {
    expect(loadSoon(text).length).toBeGreaterThan(0);
  });

  it.each(['__proto__', 'constructor', 'toString', 'hasOwnProperty', 'valueOf'])(
    'may call things %s',
    (name) => {
      const text = `main:
  params: [${name}]
  steps:
    - ${name}:
        assign:
          - m: {${name}: {${name}: 1}}
          - m.${name}.polluted: 2
          - m["${name}"]["constructor"]: \${m.${name}.${name}}
          - ${name}: \${m}
        next: done
    - done:
        return: \${${name}.${name}}
`;
      expect(load(text)).toEqual([]);
      expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
    },
  );

  it.each(['__proto__', 'constructor', 'toString'])('does not find a %s that it does not have', (name) => {
    const text = `- a:\n    call: ${name}\n- b:\n    return: \${${name}}\n- c:\n    return: \${${name}()}\n- d:\n    next: ${name}\n`;
    const errors = load(text).map(({ line }) => line);
    expect([...new Set(errors)]).toHaveLength(4);
  });
});
