import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import {
  equals,
  fromJson,
  fromPlain,
  toJson,
  toPlain,
  typeName,
  type Value,
} from '../../../../shared/adapters/workflows/values.ts';
import { raisedIn } from './expressions/evaluate.ts';

const map = (...entries: [string, Value][]): Value => new Map(entries);

describe('JSON', () => {
  it.each<[string, Value]>([
    ['1', 1n],
    ['-0', 0n],
    ['1.0', 1],
    ['1e3', 1000],
    ['9007199254740993', 9_007_199_254_740_993n],
    ['9223372036854775808', 9_223_372_036_854_775_808],
    ['"a\\u00e9"', 'aé'],
    ['[1,[2.5,null,true]]', [1n, [2.5, null, true]]],
    ['{"b":1,"a":{"c":[]}}', map(['b', 1n], ['a', map(['c', []])])],
    [
      '{"__proto__":1,"constructor":2,"toString":{"__proto__":3}}',
      map(['__proto__', 1n], ['constructor', 2n], ['toString', map(['__proto__', 3n])]),
    ],
  ])('%s is read', (text, expected) => {
    expect(fromJson(text)).toEqual(expected);
  });

  it.each<[Value, string]>([
    [1n, '1'],
    [1, '1.0'],
    [1e21, '1e+21'],
    [9_007_199_254_740_993n, '9007199254740993'],
    [map(['b', 1n], ['a', [null, 'x"']]), '{"b":1,"a":[null,"x\\""]}'],
    [map(['__proto__', true]), '{"__proto__":true}'],
  ])('%p is written as %s', (value, text) => {
    expect(toJson(value)).toBe(text);
  });

  it('is written in lines with a prefix and an indentation', () => {
    const value = map(['a', [1n, map()]], ['b', []], ['c', map(['d', null])]);
    const lines = [
      '{',
      '>  "a": [',
      '>    1,',
      '>    {}',
      '>  ],',
      '>  "b": [],',
      '>  "c": {',
      '>    "d": null',
      '>  }',
      '>}',
    ];
    expect(toJson(value, { prefix: '>', indent: '  ' })).toBe(lines.join('\n'));
  });

  it.each(['', '{', '[1,]', "{'a': 1}", 'nope', '01'])('%s is a ValueError', (text) => {
    expect(raisedIn(() => fromJson(text)).tags).toEqual(['ValueError']);
  });

  it.each<[string, Value]>([
    ['bytes', new Uint8Array([1])],
    ['a function', { kind: 'function', name: 'f', parameters: [] }],
    ['an infinity', [Infinity]],
    ['not-a-number', map(['a', NaN])],
  ])('cannot hold %s', (_, value) => {
    expect(raisedIn(() => toJson(value)).tags).toEqual(['ValueError']);
  });

  it('does not take the process down when nested beyond reason', () => {
    expect(raisedIn(() => fromJson('['.repeat(500_000))).tags).toEqual(['ValueError']);
    let deep: Value = [];
    for (let depth = 0; depth < 100_000; depth += 1) deep = [deep];
    expect(raisedIn(() => toJson(deep)).tags).toEqual(['ResourceLimitError']);
  });

  it('reads back what it wrote', () => {
    const scalar = fc.oneof(
      fc.string({ unit: fc.constantFrom('a', '"', '\\', '\n', 'é', '😀', '\u2028', '\ud800') }),
      fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
      fc.double({ noNaN: true, noDefaultInfinity: true }).filter((value) => !Object.is(value, -0)),
      fc.constantFrom(null, true, false),
    );
    const { value } = fc.letrec<{ value: Value }>((tie) => ({
      value: fc.oneof(
        { maxDepth: 4 },
        scalar,
        fc.array(tie('value'), { maxLength: 4 }),
        fc
          .array(fc.tuple(fc.oneof(fc.string(), fc.constantFrom('__proto__', '1', '0')), tie('value')), {
            maxLength: 4,
          })
          .map((entries) => new Map(entries)),
      ),
    }));
    fc.assert(
      fc.property(value, (one) => {
        const again = fromJson(toJson(one));
        expect(equals(again, one)).toBe(true);
        expect(typeName(again)).toBe(typeName(one));
        expect(equals(fromJson(toJson(one, { prefix: '', indent: ' ' })), one)).toBe(true);
      }),
      { numRuns: 300 },
    );
  });
});

describe('values of JavaScript', () => {
  it('become values of the language', () => {
    expect(fromPlain({ a: 1, b: 1.5, c: [undefined, 'x'], d: undefined, e: 2 ** 60 })).toEqual(
      map(['a', 1n], ['b', 1.5], ['c', [null, 'x']], ['e', 2 ** 60]),
    );
  });

  it('are made of values of the language', () => {
    expect(toPlain(map(['a', 1n], ['b', [1.5, null]], ['c', 2n ** 62n]))).toEqual({
      a: 1,
      b: [1.5, null],
      c: '4611686018427387904',
    });
  });

  it('keep __proto__ as a key', () => {
    const plain = toPlain(fromJson('{"__proto__": {"polluted": true}}'));
    expect(Object.keys(plain as object)).toEqual(['__proto__']);
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
    expect(fromPlain(plain)).toEqual(map(['__proto__', map(['polluted', true])]));
  });

  it('of other kinds are refused', () => {
    expect(raisedIn(() => fromPlain(() => 1)).tags).toEqual(['ValueError']);
  });
});

describe('the name of a type', () => {
  it.each<[Value, string]>([
    [null, 'null'],
    [true, 'boolean'],
    [1n, 'integer'],
    [1, 'double'],
    ['', 'string'],
    [new Uint8Array(), 'bytes'],
    [[], 'list'],
    [new Map(), 'map'],
    [{ kind: 'function', name: 'f', parameters: [] }, 'function'],
  ])('of %p is %s', (value, name) => {
    expect(typeName(value)).toBe(name);
  });
});
