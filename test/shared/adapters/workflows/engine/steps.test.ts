import { describe, expect, it } from '@jest/globals';
import { testRunner, yaml } from '../run-workflow.ts';

interface Case {
  what: string;
  text: string;
  argument?: unknown;
  gives: unknown;
}

const STEPS: Case[] = [
  { what: 'a list of steps without main', text: '- a: {return: 1}', gives: 1 },
  { what: 'JSON', text: '{"main": {"steps": [{"a": {"return": "${1 + 1}"}}]}}', gives: 2 },
  {
    what: 'the argument',
    text: 'main: {params: [a], steps: [{b: {return: "${a.b}"}}]}',
    argument: { b: 'c' },
    gives: 'c',
  },
  { what: 'no argument, as null', text: 'main: {params: [a], steps: [{b: {return: "${a}"}}]}', gives: null },
  { what: 'no return, as null', text: '- a: {assign: [{b: 1}]}', gives: null },
  {
    what: 'assignments in their order',
    text: '- a: {assign: [{b: 1}, {b: "${b + 1}"}]}\n- c: {return: "${b}"}',
    gives: 2,
  },
  {
    what: 'assignments into maps and lists',
    text: yaml(`
      - a:
          assign:
            - m: {list: [1, [2, 3]], "other": {}}
            - k: "ke"
            - m.list[1][0]: 20
            - m["special key"]: 1
            - m[k + "y"]: \${len(m)}
            - m.other.new: \${m.list}
      - b: {return: \${m}}`),
    gives: { list: [1, [20, 3]], other: { new: [1, [20, 3]] }, 'special key': 1, key: 3 },
  },
  {
    what: 'a copy of a map, which later writes leave alone',
    text: '- a: {assign: [{m: {k: 1}}, {n: "${m}"}, {n.k: 2}]}\n- b: {return: ["${m.k}", "${n.k}"]}',
    gives: [1, 2],
  },
  {
    what: 'expressions within keys and nested values',
    text: '- a: {assign: [{k: x}, {m: {"${k}": ["${k + k}"], "${k + 1}": {y: "${1.5 * 2}"}}}]}\n- b: {return: "${m}"}',
    gives: { x: ['xx'], x1: { y: 3 } },
  },
  {
    what: 'keys that JavaScript gives a meaning',
    text: yaml(`
      - a:
          assign:
            - m: {}
            - m.__proto__: 1
            - m["constructor"]: 2
      - b: {return: '\${[m.__proto__, m.constructor, keys(m)]}'}`),
    gives: [1, 2, ['__proto__', 'constructor']],
  },
  {
    what: 'the first condition that holds, with assign and next',
    text: yaml(`
      main:
        params: [n]
        steps:
          - choose:
              switch:
                - condition: \${n > 10}
                  assign: [{size: big}]
                  next: tell
                - condition: \${n > 5}
                  steps:
                    - inner: {assign: [{size: middle}]}
                - condition: true
                  return: small
              next: tell
          - never: {raise: here}
          - tell: {return: \${size}}`),
    argument: 7,
    gives: 'middle',
  },
  {
    what: 'the following step where no condition holds',
    text: '- a: {switch: [{condition: false, return: 1}]}\n- b: {return: 2}',
    gives: 2,
  },
  {
    what: 'for over a list, with index, break and continue',
    text: yaml(`
      - init: {assign: [{seen: []}]}
      - loop:
          for:
            value: v
            index: i
            in: [a, b, c, d, e]
            steps:
              - skip: {switch: [{condition: '\${v == "b"}', next: continue}, {condition: '\${v == "e"}', next: break}]}
              - add: {assign: [{seen: '\${list.concat(seen, v + i)}'}]}
      - done: {return: \${seen}}`),
    gives: ['a0', 'c2', 'd3'],
  },
  {
    what: 'for over a range with both its ends',
    text: '- a: {assign: [{sum: 0}]}\n- b: {for: {value: v, range: [1, 9], steps: [{c: {assign: [{sum: "${sum + v}"}]}}]}}\n- d: {return: "${sum}"}',
    gives: 45,
  },
  {
    what: 'for over a range of doubles',
    text: '- a: {assign: [{seen: []}]}\n- b: {for: {value: v, range: "${[-0.5, 2]}", steps: [{c: {assign: [{seen: "${list.concat(seen, v)}"}]}}]}}\n- d: {return: "${seen}"}',
    gives: [-0.5, 0.5, 1.5],
  },
  {
    what: 'a variable first assigned in a loop as new in each iteration',
    text: yaml(`
      - init: {assign: [{seen: []}]}
      - loop:
          for:
            value: v
            in: [1, 2]
            steps:
              - look: {assign: [{seen: '\${list.concat(seen, x)}'}]}
              - set: {assign: [{x: \${v}}]}
      - done: {return: \${seen}}`),
    gives: [null, null],
  },
  {
    what: 'jumps among nested steps and to steps around them',
    text: yaml(`
      - init: {assign: [{n: 0}], next: outer}
      - last: {return: \${n}}
      - outer:
          steps:
            - again: {assign: [{n: \${n + 1}}]}
            - test:
                switch:
                  - condition: \${n < 3}
                    next: again
                next: last`),
    gives: 3,
  },
  {
    what: 'next: end, without a value',
    text: '- a: {assign: [{b: 1}], next: end}\n- c: {raise: no}',
    gives: null,
  },
  {
    what: 'a subworkflow, by names and by places, with its default',
    text: yaml(`
      main:
        steps:
          - one: {call: hello, args: {last: Lovelace, first: Ada}, result: a}
          - two: {return: '\${[a, hello("Sherlock", "Holmes", "Wales")]}'}
      hello:
        params: [first, last, from: England]
        steps:
          - say: {return: '\${first + " " + last + " of " + from}'}`),
    gives: ['Ada Lovelace of England', 'Sherlock Holmes of Wales'],
  },
  {
    what: 'a function of the library as a call',
    text: '- a: {call: text.split, args: {separator: "-", source: "x-y"}, result: b}\n- c: {call: text.split, args: ["${b[1]}", "z"], result: d}\n- e: {return: ["${b}", "${d}"]}',
    gives: [['x', 'y'], ['y']],
  },
  {
    what: 'the error that except was given, and null for what a failed try did not assign',
    text: yaml(`
      - a:
          try:
            steps:
              - b: {raise: {code: 7}}
              - c: {assign: [{x: 1}]}
          except:
            as: e
            steps:
              - d: {assign: [{y: \${e.code}}]}
              - f: {assign: [{z: \${y}}]}
              - g: {switch: [{condition: \${e.code == 7}, next: told}]}
      - told: {return: '\${x == null}'}`),
    gives: true,
  },
  {
    what: 'an error of the language with its message and tags',
    text: '- a: {try: {assign: [{b: "${[1][3]}"}]}, except: {as: e, steps: [{c: {return: "${\\"IndexError\\" in e.tags}"}}]}}',
    gives: true,
  },
  {
    what: 'a raised text as text',
    text: '- a: {try: {raise: oops}, except: {as: e, steps: [{c: {return: "${e}"}}]}}',
    gives: 'oops',
  },
  {
    what: 'shared variables of branches',
    text: yaml(`
      - init: {assign: [{total: 0}]}
      - both:
          parallel:
            shared: [total]
            branches:
              - one: {steps: [{a: {assign: [{x: 1}, {total: \${total + x}}]}}]}
              - two: {steps: [{b: {call: sys.sleep, args: {seconds: 5}}}, {c: {assign: [{total: \${total * 10}}]}}]}
      - done: {return: \${total}}`),
    gives: 10,
  },
  {
    what: 'a parallel loop in which each assignment is one piece',
    text: yaml(`
      - init: {assign: [{total: 0}]}
      - all:
          parallel:
            shared: [total]
            concurrency_limit: 2
            for:
              value: v
              in: [1, 2, 3, 4]
              steps:
                - wait: {call: sys.sleep, args: {seconds: \${v}}}
                - add: {assign: [{total: \${total + v}}]}
      - done: {return: \${total}}`),
    gives: 10,
  },
  {
    what: 'a parallel loop over nothing',
    text: '- a: {parallel: {for: {value: v, in: [], steps: [{b: {raise: no}}]}}}\n- c: {return: 1}',
    gives: 1,
  },
  {
    what: 'the errors of all branches together',
    text: yaml(`
      - all:
          try:
            parallel:
              for: {value: v, range: [1, 4], steps: [{odd: {switch: [{condition: \${v % 2 == 1}, raise: \${"odd " + v}}]}}]}
          except:
            as: e
            steps:
              - told: {return: '\${[e.branches[0].id, e.branches[0].error.payload, e.branches[1].error.payload, e.truncated]}'}`),
    gives: ['0', 'odd 1', 'odd 3', false],
  },
  {
    what: 'more nested branches than may run at once',
    text: yaml(`
      - init: {assign: [{n: 0}]}
      - all:
          parallel:
            shared: [n]
            for:
              value: v
              range: [1, 25]
              steps:
                - inner:
                    parallel:
                      shared: [n]
                      for:
                        value: w
                        range: [1, 3]
                        steps:
                          - wait: {call: sys.sleep, args: {seconds: 1}}
                          - add: {assign: [{n: \${n + 1}}]}
      - done: {return: \${n}}`),
    gives: 75,
  },
  {
    what: 'a retry until it works, with a predicate of its own',
    text: yaml(`
      main:
        steps:
          - init: {assign: [{n: 0}, {from: \${sys.now()}}]}
          - try_it:
              try:
                steps:
                  - count: {assign: [{n: \${n + 1}}]}
                  - fail: {switch: [{condition: \${n < 4}, raise: {code: 202}}]}
              retry:
                predicate: \${again}
                max_retries: 5
                backoff: {initial_delay: 2, max_delay: 5, multiplier: 2}
          - done: {return: '\${[n, sys.now() - from]}'}
      again:
        params: [e]
        steps:
          - look: {return: \${e.code == 202}}`),
    gives: [4, 2 + 4 + 5],
  },
  {
    what: 'what the last try raised, when the retries are used up',
    text: yaml(`
      - init: {assign: [{n: 0}]}
      - try_it:
          try:
            steps:
              - count: {assign: [{n: \${n + 1}}]}
              - fail: {raise: {tags: [ConnectionError], n: \${n}}}
          retry: \${http.default_retry}
          except: {as: e, steps: [{told: {return: \${e.n}}}]}`),
    gives: 6,
  },
  {
    what: 'the environment and the service’s own names in it',
    text: '- a: {return: "${[sys.get_env(\\"COLOUR\\"), sys.get_env(\\"GOOGLE_CLOUD_WORKFLOW_ID\\"), sys.get_env(\\"NONE\\", \\"d\\")]}"}',
    gives: ['red', 'test', 'd'],
  },
];

describe('a workflow gives', () => {
  const { result } = testRunner({ env: { COLOUR: 'red' } });
  it.each(STEPS)('$what', async ({ text, argument, gives }) => {
    expect(await result(text, argument)).toEqual(gives);
  });
});

const FAILURES: { what: string; text: string; context: string | RegExp; payload?: RegExp }[] = [
  {
    what: 'where an error was raised',
    text: 'main:\n  steps:\n    - one:\n        call: two\ntwo:\n  steps:\n    - three:\n        return: ${1 // 0}',
    context:
      'ZeroDivisionError: division by zero\nin step "three", routine "two", line: 7\nin step "one", routine "main", line: 3',
    payload: /"tags":\["ZeroDivisionError","ArithmeticError"\]/,
  },
  {
    what: 'a raised text',
    text: '- a: {raise: oops}',
    context: 'RuntimeError: "oops"\nin step "a", routine "main", line: 1',
    payload: /^"oops"$/,
  },
  { what: 'an endless loop', text: '- a: {next: a}', context: /^ResourceLimitError: more than 100000 steps/ },
  {
    what: 'a result that JSON cannot hold',
    text: `- a: {return: '\${[text.encode("x")]}'}`,
    context: 'ValueError: JSON has no bytes',
  },
  {
    what: 'calls without end',
    text: 'main: {steps: [{a: {call: b}}]}\nb: {steps: [{c: {call: b}}]}',
    context: /^RecursionError: /,
  },
  {
    what: 'more variables than fit, which nothing can catch',
    text: yaml(`
      - init: {assign: [{s: "0123456789abcdef"}, {n: 0}]}
      - grow:
          try: {steps: [{more: {assign: [{s: \${s + s}}]}, }, {again: {next: more}}]}
          except: {as: e, steps: [{hide: {return: caught}}]}`),
    context: /^ResourceLimitError: /,
  },
  {
    what: 'parallel steps three deep',
    text: yaml(`
      - a:
          parallel:
            for:
              value: x
              in: [1]
              steps:
                - b:
                    parallel:
                      for:
                        value: y
                        in: [1]
                        steps:
                          - c: {parallel: {for: {value: z, in: [1], steps: [{d: {assign: [{e: 1}]}}]}}}`),
    context: /^UnhandledBranchError/,
    payload: /ParallelNestingError/,
  },
  {
    what: 'a condition that is no boolean',
    text: '- a: {switch: [{condition: "${1}", return: 1}]}',
    context: /^TypeError: /,
  },
  {
    what: 'a list index out of range',
    text: '- a: {assign: [{l: [1]}, {"l[1]": 2}]}',
    context: /^IndexError: /,
  },
  {
    what: 'two things to log',
    text: '- a: {call: sys.log, args: {text: a, data: b}}',
    context: /^TypeError: sys.log/,
  },
];

describe('an execution fails and says', () => {
  const { run } = testRunner();
  it.each(FAILURES)('$what', async ({ text, context, payload = /./ }) => {
    const { state, error } = await run(text);
    expect(state).toBe('failed');
    if (typeof context === 'string') expect(error?.context).toBe(context);
    else expect(error?.context).toMatch(context);
    expect(error?.payload).toMatch(payload);
  });
});

describe('the seed', () => {
  const ORDER = yaml(`
    - init: {assign: [{seen: ""}]}
    - all: {parallel: {shared: [seen], for: {value: v, range: [1, 8], steps: [{add: {assign: [{seen: \${seen + v}}]}}]}}}
    - done: {return: \${seen}}`);

  it('decides the order of branches, the same each time', async () => {
    const orders = await Promise.all([1, 1, 2].map((seed) => testRunner({ seed }).result(ORDER)));
    expect(orders[0]).toBe(orders[1]);
    expect(orders[0]).not.toBe(orders[2]);
    expect(await testRunner().result(ORDER)).toBe('12345678');
  });
});
