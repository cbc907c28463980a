import { describe, expect, it } from '@jest/globals';
import { FUNCTIONS } from '../../../../../shared/adapters/workflows/library/functions.ts';
import { findSuspending } from '../../../../../shared/adapters/workflows/library/suspending.ts';
import type { Value } from '../../../../../shared/adapters/workflows/values.ts';
import { evaluate, raisedBy, type Variables } from '../expressions/evaluate.ts';

const map = (entries: Record<string, Value>): Value => new Map(Object.entries(entries));
const bytes = (text: string): Uint8Array => new Uint8Array(Buffer.from(text));

const variables: Variables = {
  hello: bytes('Hello World'),
  key: bytes('key'),
  broken: new Uint8Array([0xff]),
  list: [1n, 2n],
  first: map({ a: 1n, b: map({ x: 1n, y: [1n] }) }),
  second: map({ b: map({ y: 2n, z: 3n }), c: 4n }),
  keyed: new Map<string, Value>([
    ['10', 1n],
    ['9', 2n],
    ['__proto__', 3n],
  ]),
  http429: map({ tags: ['HttpError'], code: 429n }),
  http500: map({ tags: ['HttpError'], code: 500n }),
  http502: map({ tags: ['HttpError'], code: 502n }),
  http503: map({ tags: ['HttpError'], code: 503n }),
  http504: map({ tags: ['HttpError'], code: 504n }),
  failed: map({ tags: ['ConnectionFailedError', 'OSError'] }),
  broke: map({ tags: ['ConnectionError', 'OSError'] }),
  late: map({ tags: ['TimeoutError', 'OSError'] }),
};

/** Expression and value; the rows of one module of the standard library (spec §4 and §5). */
const VALUES: Record<string, [string, Value][]> = {
  'the functions without a module': [
    ['double("2.7")', 2.7],
    ['double(2)', 2],
    ['double("-1e3")', -1000],
    ['int(2.7)', 2n],
    ['int(-2.7)', -2n],
    ['int("123")', 123n],
    ['int("-9223372036854775808")', -9_223_372_036_854_775_808n],
    ['string(1.7)', '1.7'],
    ['string(15)', '15'],
    ['string(true)', 'true'],
    ['"Current temperature is " + string(27 * 9 / 5 + 32) + " F"', 'Current temperature is 80.6 F'],
    ['keys(first)', ['a', 'b']],
    ['keys(keyed)', ['10', '9', '__proto__']],
    ['len(list)', 2n],
    ['len(first)', 2n],
    ['len("añ😀")', 3n],
    ['len("")', 0n],
    ['default(null, 1)', 1n],
    ['default(false, 1)', false],
    ['default(map.get(first, "none"), "none")', 'none'],
    ['if(1 < 2, "yes", "no")', 'yes'],
    ['if(false, 1, null)', null],
    ['[get_type(null), get_type(1), get_type(1.0), get_type("")]', ['null', 'integer', 'double', 'string']],
    [
      '[get_type(true), get_type(list), get_type(first), get_type(hello)]',
      ['boolean', 'list', 'map', 'bytes'],
    ],
  ],
  base64: [
    ['base64.encode(hello)', 'SGVsbG8gV29ybGQ='],
    ['base64.encode(hello, false)', 'SGVsbG8gV29ybGQ'],
    ['base64.decode("SGVsbG8gV29ybGQ=")', bytes('Hello World')],
    ['base64.decode("SGVs\nbG8gV29y\nbGQ=")', bytes('Hello World')],
    ['base64.decode("SGVsbG8gV29ybGQ", false)', bytes('Hello World')],
    ['base64.decode("")', bytes('')],
  ],
  hash: [
    [
      'base64.encode(hash.compute_hmac(key, hello, "SHA256"))',
      'QidPcoCDkuWLV9co1+PA5RY+rwfRZdwDEF9iq74afRE=',
    ],
    ['base64.encode(hash.compute_checksum(hello, "SHA256"))', 'pZGm1Av0IEBKARczz7exkNYsZb8LzaMrV7J32a2fFG4='],
    ['len(base64.encode(hash.compute_checksum(hello, "MD5"))) == 24', true],
    ['base64.encode(hash.compute_checksum(hello, "SHA1"))', 'Ck1VqNd45QIvq3AZd8XYQLvEhtA='],
  ],
  json: [
    ['json.decode("{\\"a\\": [1, 1.0]}")', map({ a: [1n, 1] })],
    ['json.decode(json.encode(first)) == first', true],
    ['json.encode_to_string(first)', '{"a":1,"b":{"x":1,"y":[1]}}'],
    ['json.encode_to_string(list, true)', '[\n    1,\n    2\n]'],
    ['json.encode_to_string(list, {})', '[\n    1,\n    2\n]'],
    ['json.encode_to_string(list, false)', '[1,2]'],
    ['json.encode_to_string(list, {"prefix": ">", "indent": " "})', '[\n> 1,\n> 2\n>]'],
    ['json.encode("é")', bytes('"é"')],
    ['json.encode_to_string(null)', 'null'],
  ],
  list: [
    ['list.concat(list, 3)', [1n, 2n, 3n]],
    ['list.concat(list, list)', [1n, 2n, [1n, 2n]]],
    ['list.prepend(list, 0)', [0n, 1n, 2n]],
    ['list', [1n, 2n]],
  ],
  map: [
    ['map.get({"key1": "hello", "key2": "world"}, "key2")', 'world'],
    ['map.get(first, "none")', null],
    ['map.get(first, "constructor")', null],
    ['map.get(first, ["b", "x"])', 1n],
    ['map.get(first, ["b", "none", "x"])', null],
    ['map.get(first, ["a", "x"])', null],
    ['map.get(null, "a")', null],
    ['map.get(1, ["a"])', null],
    ['map.delete(first, "b")', map({ a: 1n })],
    ['map.delete(first, "none") == first', true],
    ['map.merge(first, second)', map({ a: 1n, b: map({ y: 2n, z: 3n }), c: 4n })],
    ['map.merge_nested(first, second)', map({ a: 1n, b: map({ x: 1n, y: 2n, z: 3n }), c: 4n })],
    ['first', map({ a: 1n, b: map({ x: 1n, y: [1n] }) })],
  ],
  math: [
    ['math.abs(-3)', 3n],
    ['math.abs(-3.5)', 3.5],
    ['math.floor(2.7)', 2n],
    ['math.floor(-2.1)', -3n],
    ['math.floor(4)', 4n],
    ['math.max(1, 2.5)', 2.5],
    ['math.max(3, 2.5)', 3n],
    ['math.min(1, 2.5)', 1n],
  ],
  'retry and the policies of http': [
    ['retry.default_backoff', map({ initial_delay: 1n, max_delay: 60n, multiplier: 1.25 })],
    ['http.default_retry.max_retries', 5n],
    ['http.default_retry.backoff == retry.default_backoff', true],
    ['http.default_retry.predicate == http.default_retry_predicate', true],
    ['http.default_retry_non_idempotent.predicate == http.default_retry_predicate_non_idempotent', true],
    ['[retry.always("x"), retry.never("x")]', [true, false]],
    ...(['http429', 'http502', 'http503', 'http504', 'failed', 'broke', 'late'] as const).map(
      (error): [string, Value] => [`http.default_retry_predicate(${error})`, true],
    ),
    ['http.default_retry_predicate(http500)', false],
    ['http.default_retry_predicate("text")', false],
    ...(['http429', 'http503', 'failed'] as const).map((error): [string, Value] => [
      `http.default_retry_predicate_non_idempotent(${error})`,
      true,
    ]),
    ...(['http500', 'http502', 'http504', 'broke', 'late'] as const).map((error): [string, Value] => [
      `http.default_retry_predicate_non_idempotent(${error})`,
      false,
    ]),
  ],
  sys: [
    ['sys.get_env("GOOGLE_CLOUD_LOCATION")', 'europe-west1'],
    ['sys.get_env("NOT_SET")', null],
    ['sys.get_env("NOT_SET", "d")', 'd'],
    ['sys.get_env("__proto__")', null],
  ],
  text: [
    ['text.decode(text.encode("añ😀"))', 'añ😀'],
    ['text.encode("é", "ISO-8859-1")', new Uint8Array([0xe9])],
    ['text.decode(broken, "ISO-8859-1")', 'ÿ'],
    ['text.find_all("banana", "an")', [1n, 3n]],
    ['text.find_all("aaa", "aa")', [0n]],
    ['text.find_all("😀a", "a")', [1n]],
    ['text.find_all("abc", "x")', []],
    [
      'text.find_all_regex("HelloWorld", "Hello|World")',
      [map({ index: 0n, match: 'Hello' }), map({ index: 5n, match: 'World' })],
    ],
    ['text.match_regex("abc123", "[0-9]+$")', true],
    ['text.match_regex("abc", "^b")', false],
    ['text.replace_all("banana", "an", "AN")', 'bANANa'],
    ['text.replace_all("ab", "", "-")', '-a-b-'],
    ['text.replace_all("a$1", "$1", "$&")', 'a$&'],
    ['text.replace_all_regex("one two", "one|two", "three")', 'three three'],
    ['text.replace_all_regex("ab", "", "-")', '-a-b-'],
    ['text.split("baaab", "aa")', ['b', 'ab']],
    ['text.split("abc", "a")', ['', 'bc']],
    ['text.split("abc", "c")', ['ab', '']],
    ['text.split("abbc", "b")', ['a', '', 'c']],
    ['text.split("europe-west1", "-")[0]', 'europe'],
    ['text.substring("añ😀b", 1, 3)', 'ñ😀'],
    ['text.substring("abc", 3, 3)', ''],
    ['text.to_lower("ÀB")', 'àb'],
    ['text.to_upper("àb")', 'ÀB'],
    ['text.url_decode("a%2Fb%2Fc%3Fitem%3Dd%2Be")', 'a/b/c?item=d+e'],
    ['text.url_decode("a+b%C3%A9")', 'a bé'],
    ['text.url_encode("a b/é*(~)")', 'a%20b%2F%C3%A9%2A%28~%29'],
    ['text.url_encode_plus("a b+")', 'a+b%2B'],
  ],
  time: [
    ['time.format(1720788633, "GMT")', '2024-07-12T12:50:33.000000Z'],
    ['time.format(1704903354.615087)', '2024-01-10T16:15:54.615087Z'],
    ['time.format(1720788633, "Europe/Berlin")', '2024-07-12T14:50:33.000000+02:00'],
    ['time.format(0, "America/New_York")', '1969-12-31T19:00:00.000000-05:00'],
    ['time.format(0.9999999)', '1970-01-01T00:00:01.000000Z'],
    ['time.format(-0.5)', '1969-12-31T23:59:59.500000Z'],
    ['time.parse("2024-07-12T12:50:33Z")', 1_720_788_633],
    ['time.parse("2024-07-12T14:50:33.250+02:00")', 1_720_788_633.25],
    ['time.parse("1969-12-31T23:59:59.5Z")', -0.5],
    ['time.parse(time.format(1704903354.615087))', 1_704_903_354.615_087],
  ],
};

const ERRORS: [string, string][] = [
  ['int("abc")', 'ValueError'],
  ['int("1.5")', 'ValueError'],
  ['int("9223372036854775808")', 'ValueError'],
  ['int(double("1e300"))', 'ValueError'],
  ['int(true)', 'TypeError'],
  ['double("abc")', 'ValueError'],
  ['double(" 1")', 'ValueError'],
  ['double(true)', 'TypeError'],
  ['string(first)', 'TypeError'],
  ['string(null)', 'TypeError'],
  ['keys(list)', 'TypeError'],
  ['len(1)', 'TypeError'],
  ['if("a", 1, 2)', 'TypeError'],
  ['base64.decode("SGVsbG8")', 'ValueError'],
  ['base64.decode("SGVs-G8=")', 'ValueError'],
  ['base64.decode("SGVs=bG8")', 'ValueError'],
  ['base64.encode("text")', 'TypeError'],
  ['hash.compute_checksum("text", "MD5")', 'TypeError'],
  ['hash.compute_checksum(hello, "md5")', 'ValueError'],
  ['hash.compute_checksum(hello, "constructor")', 'ValueError'],
  ['json.decode("{")', 'ValueError'],
  ['json.decode(broken)', 'ValueError'],
  ['json.decode(1)', 'TypeError'],
  ['json.encode(hello)', 'ValueError'],
  ['json.encode_to_string([http.default_retry_predicate])', 'ValueError'],
  ['json.encode(1, "x")', 'TypeError'],
  ['list.concat(first, 1)', 'TypeError'],
  ['map.get(first, 1)', 'TypeError'],
  ['map.get(first, ["a", 1])', 'TypeError'],
  ['map.delete(list, "a")', 'TypeError'],
  ['map.merge(first, null)', 'TypeError'],
  ['math.abs(-9223372036854775808)', 'ValueError'],
  ['math.max(1, "2")', 'TypeError'],
  ['sys.get_env(1)', 'TypeError'],
  ['sys.get_env("X", 1)', 'TypeError'],
  ['text.decode(broken)', 'ValueError'],
  ['text.decode(hello, "EBCDIC")', 'ValueError'],
  ['text.encode("😀", "ISO-8859-1")', 'ValueError'],
  ['text.find_all("a", 1)', 'TypeError'],
  ['text.match_regex("a", "(")', 'ValueError'],
  ['text.split("a", "")', 'ValueError'],
  ['text.substring("abc", 1, 4)', 'IndexError'],
  ['text.substring("abc", 2, 1)', 'IndexError'],
  ['text.substring("abc", -1, 1)', 'IndexError'],
  ['text.substring("abc", 0, 1.0)', 'TypeError'],
  ['text.to_lower(null)', 'TypeError'],
  ['text.url_decode("100%")', 'ValueError'],
  ['text.url_decode("%zz")', 'ValueError'],
  ['time.format("now")', 'TypeError'],
  ['time.format(0, "Mars/Olympus")', 'ValueError'],
  ['time.format(9000000000000)', 'ValueError'],
  ['time.parse("2024-02-30T00:00:00Z")', 'ValueError'],
  ['time.parse("2024-07-12 12:50")', 'ValueError'],
  ['time.parse(0)', 'TypeError'],
];

describe.each(Object.entries(VALUES))('%s', (_, rows) => {
  it.each(rows)('%s', (source, expected) => {
    expect(evaluate(source, variables)).toEqual(expected);
  });
});

describe('an unfit argument', () => {
  it.each(ERRORS)('%s is a %s', (source, tag) => {
    expect(raisedBy(source, variables).tags).toEqual(expect.arrayContaining([tag]));
  });

  it('is named in the message', () => {
    expect(raisedBy('text.split(null, ",")').message).toBe(
      'TypeError: text.split takes a string as source, got null',
    );
    expect(raisedBy('string({})').message).toBe("TypeError: unsupported operand type for string(): 'dict'");
  });

  it('in number is a TypeError too when a call is made by place', () => {
    expect(() => FUNCTIONS.get('len')?.evaluate([], { env: () => undefined })).toThrow(
      'takes 1 argument, got 0',
    );
  });
});

describe('a replacement that grows', () => {
  it('ends the execution beyond 256 KB, before the memory is taken', () => {
    const a = 'x'.repeat(2000);
    expect(raisedBy('text.replace_all(a, "x", a)', { a }).tags).toEqual(['ResourceLimitError']);
    expect(raisedBy('text.replace_all_regex(a, "", a)', { a }).tags).toEqual(['ResourceLimitError']);
  });
});

describe('argument names', () => {
  it.each([
    ['default', ['val', 'defaultVal']],
    ['hash.compute_hmac', ['key', 'data', 'algorithm']],
    ['json.encode_to_string', ['data', 'indent']],
    ['list.concat', ['objs', 'val']],
    ['map.get', ['map', 'keys']],
    ['map.merge_nested', ['first', 'second']],
    ['sys.get_env', ['name', 'default']],
    ['text.replace_all_regex', ['source', 'regexp', 'repl']],
    ['text.split', ['source', 'separator']],
    ['http.default_retry_predicate', ['exception']],
  ])('of %s are those of the reference', (name, names) => {
    expect(FUNCTIONS.get(name)?.parameters.map((parameter) => parameter.name)).toEqual(names);
  });

  it('of sys.log are in the order it takes them by place', () => {
    expect(findSuspending('sys.log')?.parameters.map(({ name }) => name)).toEqual([
      'data',
      'severity',
      'text',
      'json',
      'timeout',
    ]);
  });
});

describe('the tables', () => {
  it('declare no function twice', () => {
    expect([...FUNCTIONS.keys()].filter((name) => findSuspending(name) !== undefined)).toEqual([]);
  });

  it.each(['__proto__', 'constructor', 'toString', 'text.trim', 'experimental.executions.run'])(
    'have no %s',
    (name) => {
      expect(FUNCTIONS.get(name) ?? findSuspending(name)).toBeUndefined();
    },
  );
});
