import { describe, expect, it } from '@jest/globals';
import type { Value } from '../../../../../shared/adapters/workflows/values.ts';
import { evaluate, raisedBy, type Variables } from './evaluate.ts';

const map = (entries: Record<string, Value>): Value => new Map(Object.entries(entries));

const variables: Variables = {
  name: 'Ada',
  list: ['zero', 'one', 'two'],
  nested: [
    [10n, 11n],
    [20n, 21n],
  ],
  map: map({ key: 'value', 'special!key': 1n, __proto__: 'never reached' }),
  tricky: new Map<string, Value>([
    ['__proto__', 'p'],
    ['constructor', 'c'],
    ['toString', 't'],
  ]),
  iteration: 3n,
  nothing: null,
  yes: true,
  no: false,
};

describe('precedence, from the tightest to the loosest (spec §3)', () => {
  it.each<[string, Value]>([
    ['(1 + 2) * 3', 9n],
    ['1 + 2 * 3', 7n],
    ['10 - 4 - 3', 3n],
    ['2 * 3 % 4', 2n],
    ['27 * 9 / 5 + 32', 80.6],
    ['-2 * 3', -6n],
    ['2 - -3', 5n],
    ['-nested[0][0] + 1', -9n],
    ['1 + 2 < 2 * 2', true],
    ['1 < 2 == true', true],
    ['true or false and false', true],
    ['(true or false) and false', false],
    ['not false and false', false],
    ['not(false and false)', true],
    ['not yes == no', true],
    ['not not yes', true],
    ['1 in [1] and not(2 in [1])', true],
    ['"a" + "b" in ["ab"]', true],
    ['1 == 1 or 1 / 0 > 1', true],
  ])('%s', (source, expected) => {
    expect(evaluate(source, variables)).toEqual(expected);
  });

  it('binds not tighter than in, so that its operand there is no boolean', () => {
    expect(raisedBy('not "one" in list', variables).tags).toEqual(['TypeError']);
  });
});

describe('+ (the conversion table of spec §3)', () => {
  it.each<[string, Value]>([
    ['1 + 2', 3n],
    ['1 + 2.5', 3.5],
    ['2.5 + 1', 3.5],
    ['1.5 + 1.5', 3],
    ['"a" + "b"', 'ab'],
    ['"Hello world" + iteration', 'Hello world3'],
    ['1 + "a"', '1a'],
    ['"a" + 1.5', 'a1.5'],
    ['2.0 + "a"', '2.0a'],
    ['"a" + true', 'atrue'],
    ['false + "a"', 'falsea'],
  ])('%s', (source, expected) => {
    expect(evaluate(source, variables)).toEqual(expected);
  });

  it.each([
    'true + 1',
    '1.5 + true',
    'true + false',
    '"a" + null',
    'list + "a"',
    'map + "a"',
    'list + list',
    'null + 1',
  ])('%s is a TypeError', (source) => {
    expect(raisedBy(source, variables).tags).toEqual(['TypeError']);
  });

  it('keeps the two kinds of number apart in its result', () => {
    expect([evaluate('1 + 2.0'), evaluate('1 + 2')]).toEqual([3, 3n]);
  });
});

describe('arithmetic', () => {
  it.each<[string, Value]>([
    ['7 / 2', 3.5],
    ['4 / 2', 2],
    ['7 // 2', 3n],
    ['-7 // 2', -4n],
    ['7.5 // 2', 3],
    ['7 % 3', 1n],
    ['-7 % 3', 2n],
    ['7.5 % 2', 1.5],
    ['3 * 1.5', 4.5],
    ['9223372036854775807', 9_223_372_036_854_775_807n],
    ['-9223372036854775808', -9_223_372_036_854_775_808n],
    ['9007199254740993 + 0', 9_007_199_254_740_993n],
  ])('%s', (source, expected) => {
    expect(evaluate(source)).toEqual(expected);
  });

  it.each(['1 / 0', '1 // 0', '1 % 0', '1.0 / 0', '1 / 0.0', '1.5 % 0.0'])(
    '%s is a ZeroDivisionError',
    (source) => {
      expect(raisedBy(source).tags).toEqual(['ZeroDivisionError', 'ArithmeticError']);
    },
  );

  it.each([
    '9223372036854775807 + 1',
    '-9223372036854775808 - 1',
    '4611686018427387904 * 2',
    '-9223372036854775808 // -1',
    '-(-9223372036854775808)',
  ])('%s does not fit in 64 bits', (source) => {
    expect(raisedBy(source).message).toMatch('integer overflow');
  });

  it.each(['"a" - 1', '"a" * 2', 'null / 1', '-"a"', '-true', '[1] % 2'])('%s is a TypeError', (source) => {
    expect(raisedBy(source).tags).toEqual(['TypeError']);
  });
});

describe('comparison', () => {
  it.each<[string, boolean]>([
    ['1 == 1.0', true],
    ['9007199254740993 == 9007199254740992.0', false],
    ['1 < 1.5', true],
    ['2 >= 2.0', true],
    ['"a" < "b"', true],
    ['"Z" < "a"', true],
    ['"1" == 1', false],
    ['null == nothing', true],
    ['nothing != "a"', true],
    ['[1, [2.0]] == [1.0, [2]]', true],
    ['{"a": 1} == {"a": 2}', false],
    ['tricky == {"toString": "t", "constructor": "c", "__proto__": "p"}', true],
    ['true == 1', false],
  ])('%s is %s', (source, expected) => {
    expect(evaluate(source, variables)).toBe(expected);
  });

  it.each(['1 < "a"', 'null < 1', 'true < false', '[1] < [2]'])('%s is a TypeError', (source) => {
    expect(raisedBy(source).tags).toEqual(['TypeError']);
  });
});

describe('and, or, not', () => {
  it.each<[string, boolean]>([
    ['yes AND NOT no', true],
    ['no OR yes', true],
    ['no and 1 / 0 == 1', false],
    ['"key" in map and map.key == "value"', true],
    ['"other" in map and map.other == "value"', false],
    ['True and TRUE and not False and not FALSE', true],
  ])('%s is %s', (source, expected) => {
    expect(evaluate(source, variables)).toBe(expected);
  });

  it.each(['1 and true', 'true and 1', 'null or true', 'not "a"', 'not null'])(
    '%s is a TypeError',
    (source) => {
      expect(raisedBy(source).tags).toEqual(['TypeError']);
    },
  );
});

describe('in', () => {
  it.each<[string, boolean]>([
    ['"one" in list', true],
    ['"three" in list', false],
    ['1 in [1.0]', true],
    ['"key" in map', true],
    ['"__proto__" in {}', false],
    ['"constructor" in map', false],
    ['"constructor" in tricky', true],
    ['1 in map', false],
  ])('%s is %s', (source, expected) => {
    expect(evaluate(source, variables)).toBe(expected);
  });

  it('refuses null on the right in the words of the documentation', () => {
    expect(raisedBy('"a" in nothing', variables).message).toMatch(
      "The argument of 'in' must be a dict or an array; got: null",
    );
  });
});

describe('looking up', () => {
  it.each<[string, Value]>([
    ['list[1]', 'one'],
    ['nested[1][0]', 20n],
    ['nested[0 + 1][iteration - 2]', 21n],
    ['map.key', 'value'],
    ['map["key"]', 'value'],
    ['map["special" + "!key"]', 1n],
    ['tricky.__proto__ + tricky.constructor + tricky.toString', 'pct'],
    ['[1, 2, 3][2]', 3n],
    ['{"in": 1}.in', 1n],
  ])('%s', (source, expected) => {
    expect(evaluate(source, variables)).toEqual(expected);
  });

  it.each([
    ['list[3]', 'IndexError'],
    ['list[-1]', 'IndexError'],
    ['list[1.0]', 'TypeError'],
    ['list.key', 'TypeError'],
    ['map.other', 'KeyError'],
    ['map.constructor', 'KeyError'],
    ['map.toString', 'KeyError'],
    ['map[1]', 'TypeError'],
    ['nothing.key', 'TypeError'],
    ['name[0]', 'TypeError'],
    ['constructor', 'KeyError'],
  ])('%s is a %s', (source, tag) => {
    expect(raisedBy(source, variables).tags).toEqual(expect.arrayContaining([tag]));
  });

  it('names the key that is missing', () => {
    expect(raisedBy('map.taskCount', variables)).toEqual({
      message: 'KeyError: key not found: taskCount',
      tags: ['KeyError', 'LookupError'],
    });
  });
});

describe('a string that grows', () => {
  it('ends the execution beyond 256 KB', () => {
    const half = 'x'.repeat(128 * 1024);
    expect(evaluate('len(a + a)', { a: half })).toBe(262_144n);
    expect(raisedBy('a + a + "x"', { a: half }).tags).toEqual(['ResourceLimitError']);
  });
});
