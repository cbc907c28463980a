import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { compileExpression } from '../../../../../shared/adapters/workflows/expressions/compile.ts';
import { Raised } from '../../../../../shared/adapters/workflows/errors.ts';
import type { Value } from '../../../../../shared/adapters/workflows/values.ts';
import { compiled, evaluate, scopeOf } from './evaluate.ts';

describe('literals', () => {
  it.each<[string, Value]>([
    ['1', 1n],
    ['1.0', 1],
    ['0.25', 0.25],
    ['true', true],
    ['null', null],
    ['"a"', 'a'],
    ['\'a "quoted" word\'', 'a "quoted" word'],
    [String.raw`"\"\\\n"`, '"\\\n'],
    [String.raw`"\t\u00e9"`, '\té'],
    ['"two\nlines: # and ${}"', 'two\nlines: # and ${}'],
    ['[]', []],
    ['[1, "a", [null]]', [1n, 'a', [null]]],
    [
      '{"a": 1, "b" + "c": [2]}',
      new Map<string, Value>([
        ['a', 1n],
        ['bc', [2n]],
      ]),
    ],
    [' \n 1 \t', 1n],
  ])('%j', (source, expected) => {
    expect(evaluate(source)).toEqual(expected);
  });

  it('are new each time they can be changed', () => {
    const expression = compiled('[[]]');
    expect(expression.evaluate(scopeOf({}))).not.toBe(expression.evaluate(scopeOf({})));
  });
});

describe('an expression that makes no sense', () => {
  it.each<[string, number, string]>([
    ['', 0, 'empty'],
    ['  ', 0, 'empty'],
    ['1 +', 3, 'ends too early'],
    ['1 2', 2, "'2' cannot stand here"],
    ['(1', 0, "'(' is not closed"],
    ['f(1', 1, "'(' is not closed"],
    ['[1, 2', 0, "'[' is not closed"],
    ['a[1', 1, "'[' is not closed"],
    ['1)', 1, "')' cannot stand here"],
    ['[1,]', 3, "']' cannot stand here"],
    ['"abc', 0, 'no closing "'],
    ['a + "abc', 4, 'no closing "'],
    [String.raw`"a\qb"`, 2, 'not an escape'],
    ['a = 1', 2, "'=='"],
    ['!a', 0, "'not'"],
    ['a && b', 2, "'and'"],
    ['a ? b : c', 2, 'if('],
    ['a not in b', 2, 'not(a in b)'],
    ['a And b', 2, 'lower or all in upper'],
    ['Not a', 4, "'a' cannot stand here"],
    ['a. 1', 1, 'followed by a key'],
    ['a.', 1, 'followed by a key'],
    ['1abc', 0, 'a number is'],
    ['1e5', 0, 'a number is'],
    ['.5', 0, "'.' cannot stand here"],
    ['9223372036854775808', 0, '64-bit'],
    ['a[0](1)', 4, 'can be called'],
    ['"a"(1)', 3, 'can be called'],
    ['a} ${b', 3, "one '${'"],
    ['a}', 1, "'}' cannot stand here"],
    ['a ; b', 2, "';' has no meaning"],
    ['a 😀', 2, "'😀' has no meaning"],
    ['and', 0, "'and' cannot stand here"],
    ['text.split("a")', 0, 'text.split(source, separator) takes 2 arguments, got 1'],
    ['1 + len()', 4, 'len(value) takes 1 argument, got 0'],
    ['sys.get_env("a", "b", "c")', 0, 'sys.get_env(name, [default]) takes 1 to 2 arguments, got 3'],
  ])('%j: at %i', (source, offset, part) => {
    const result = compileExpression(source);
    expect(result).toMatchObject({ ok: false, offset });
    expect(result.ok ? '' : result.message).toContain(part);
  });

  it('is one of more than 400 characters', () => {
    expect(compileExpression(`"${'x'.repeat(398)}"`).ok).toBe(true);
    expect(compileExpression(`"${'x'.repeat(399)}"`)).toMatchObject({ ok: false });
    expect(compileExpression('('.repeat(100_000))).toMatchObject({ ok: false });
  });
});

describe('what an expression uses', () => {
  it('is its variables and calls with where they stand', () => {
    const { names, calls, isPure } = compiled('a.b + list[i] + text.to_upper(c) + hello("x", d)');
    expect(names).toEqual([
      { name: 'a', offset: 0 },
      { name: 'list', offset: 6 },
      { name: 'i', offset: 11 },
      { name: 'c', offset: 30 },
      { name: 'd', offset: 46 },
    ]);
    expect(calls).toEqual([
      { name: 'text.to_upper', offset: 16, argCount: 1 },
      { name: 'hello', offset: 35, argCount: 2 },
    ]);
    expect(isPure).toBe(false);
  });

  it('counts neither keys nor the values of the library as variables', () => {
    expect(compiled('map.get(x, "a").b').names).toEqual([{ name: 'x', offset: 8 }]);
    expect(compiled('http.default_retry').names).toEqual([]);
    expect(compiled('http.default_retry.max_retries').names).toEqual([]);
    expect(compiled('http.other').names).toEqual([{ name: 'http', offset: 0 }]);
  });

  it.each<[string, boolean]>([
    ['a + len(b)', true],
    ['sys.get_env("X")', true],
    ['sys.now() + 1', false],
    ['[uuid.generate()]', false],
    ['a or subworkflow()', false],
    ['{"a": googleapis.x.y()}', false],
  ])('%s is pure: %s', (source, isPure) => {
    expect(compiled(source).isPure).toBe(isPure);
  });

  it('is unverified where no text of Google shows it', () => {
    expect(compiled(String.raw`"\"\\\n"`).unverified).toEqual([]);
    expect(compiled(String.raw`1 + "a\t"`).unverified).toMatchObject([{ offset: 6 }]);
    expect(compiled('f({"a": 1})').unverified).toMatchObject([{ offset: 2 }]);
  });
});

describe('a call that may suspend', () => {
  const calls = { twice: (value: Value) => (value as bigint) * 2n, fail: () => never(), yes: () => true };

  it.each<[string, Value]>([
    ['twice(twice(a)) + len("ab")', 10n],
    ['[twice(1), {"k": twice(2)}.k]', [2n, 4n]],
    ['-twice(1)', -2n],
    ['false and fail()', false],
    ['yes() or fail()', true],
    ['text.to_upper("x" + twice(4))', 'X8'],
    ['[1, 2, 3][twice(1)]', 3n],
  ])('%s', async (source, expected) => {
    await expect(compiled(source).evaluateAsync(scopeOf({ a: 2n }, calls))).resolves.toEqual(expected);
  });

  it('goes from left to right, one after another', async () => {
    const order: string[] = [];
    const scope = scopeOf({});
    const call = async (name: string): Promise<Value> => {
      order.push(`${name} begins`);
      await Promise.resolve();
      order.push(`${name} ends`);
      return 1n;
    };
    await compiled('a() + f(b(), c())').evaluateAsync({ ...scope, call });
    expect(order.filter((entry) => entry.endsWith('begins'))).toEqual([
      'a begins',
      'b begins',
      'c begins',
      'f begins',
    ]);
    expect(order.slice(0, 2)).toEqual(['a begins', 'a ends']);
  });

  it('cannot be evaluated synchronously', () => {
    expect(() => compiled('twice(1)').evaluate(scopeOf({}))).toThrow('evaluateAsync');
  });

  it('passes on what the call raises', async () => {
    await expect(compiled('1 + fail()').evaluateAsync(scopeOf({}, calls))).rejects.toBeInstanceOf(Raised);
  });
});

function never(): Value {
  throw new Raised('raised on purpose');
}

/** Any 16 bits, characters or not: `unit: 'binary'` takes a second to set up here. */
const anyUnit = fc.nat(0xffff).map((code) => String.fromCharCode(code));

describe('any text at all', () => {
  const PIECES = [
    'a',
    'map',
    'x.y',
    '[',
    ']',
    '(',
    ')',
    '{',
    '}',
    ':',
    ',',
    '.',
    '+',
    '-',
    'not ',
    ' and ',
    ' in ',
    '"',
    "'",
    '\\',
    '1',
    '2.5',
    '//',
    '==',
    '__proto__',
    'constructor',
    'toString',
    'len',
    'default',
    'if',
    ' ',
    '${',
    '\n',
  ];

  function survives(source: string): void {
    const result = compileExpression(source);
    if (!result.ok) {
      expect(result.offset).toBeGreaterThanOrEqual(0);
      expect(result.offset).toBeLessThanOrEqual(source.length);
      expect(result.message).not.toBe('');
      return;
    }
    if (!result.expression.isPure) return;
    try {
      result.expression.evaluate(scopeOf({ a: 1n, map: new Map(), x: [null] }));
    } catch (error) {
      expect(error).toBeInstanceOf(Raised);
    }
  }

  it('compiles, or is refused with a reason and a place', () => {
    fc.assert(fc.property(fc.string({ unit: anyUnit, maxLength: 500 }), survives), { numRuns: 300 });
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom(...PIECES), { maxLength: 80 }).map((pieces) => pieces.join('')),
        survives,
      ),
      {
        numRuns: 1000,
      },
    );
  });

  it('does so after any change to an expression that was right', () => {
    const right = [
      'not("a" in map.get(x, ["b", "c"])) and -a[0].b // 2 >= f(1.5, null) or {"k": [true]}.k[0]',
      String.raw`"\"quoted\"" + 'x' + string(1 + 2 * (3 - a)) + map["key"].inner`,
    ];
    const change = fc.tuple(fc.constantFrom(...right), fc.nat(200), fc.nat(5), fc.constantFrom(...PIECES));
    const changed = change.map(
      ([source, at, cut, piece]) => source.slice(0, at) + piece + source.slice(at + cut),
    );
    fc.assert(fc.property(changed, survives), { numRuns: 1000 });
  });

  it('nests as deep as 400 characters allow', () => {
    expect(evaluate(`${'('.repeat(199)}1${')'.repeat(199)}`)).toBe(1n);
    expect(evaluate(`${'['.repeat(199)}1${']'.repeat(199)}`)).toHaveLength(1);
    expect(evaluate(`${'- '.repeat(198)}1`)).toBe(1n);
    expect(compileExpression('not '.repeat(99)).ok).toBe(false);
  });
});
