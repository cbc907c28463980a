import { describe, expect, it } from '@jest/globals';
import { loadWorkflow } from '../../../../../shared/adapters/workflows/syntax/load-workflow.ts';
import { yaml } from '../run-workflow.ts';

function problemsOf(text: string): string[] {
  return loadWorkflow(text).problems.map(
    ({ line, column, severity, message }) =>
      `${line}:${column} ${severity === 'error' ? '' : '(unverified) '}${message}`,
  );
}

const REFUSED: [what: string, text: string, problem: RegExp][] = [
  ['nothing', '', /^1:1 there is no main/],
  ['text', 'hello', /^1:1 a workflow is a list of steps/],
  ['no main', 'sub: {steps: [{a: {return: 1}}]}', /^1:1 there is no main/],
  [
    'a subworkflow with the name of a function',
    'main: {steps: [{a: {return: 1}}]}\nlen: {steps: [{b: {return: 1}}]}',
    /^2:1 a subworkflow named 'len' is not implemented/,
  ],
  ['broken YAML', 'main: [', /^1:\d+ Flow sequence/],
  ['two documents', '- a: {return: 1}\n---\n- b: {return: 2}', /^1:1 .*more than one YAML document/],
  ['an alias', '- a: {return: &x 1}\n- b: {return: *x}', /^2:15 the YAML alias \*x is not implemented/],
  [
    'a source of more than 128 KB',
    `- a: {return: "${'x'.repeat(131_072)}"}`,
    /^1:1 the source has more than 128 KB/,
  ],
  ['a step with two names', '- a: {return: 1}\n  b: {return: 2}', /^1:3 a step is a map with one key/],
  ['an unknown key of a step', '- a: {cal: x}', /^1:7 step 'a' has no key 'cal'/],
  ['two things in one step', '- a: {return: 1, assign: [{b: 1}]}', /^1:3 step 'a' does one thing/],
  ['args without a call', '- a: {return: 1, args: {b: 1}}', /^1:18 step 'a': 'args' needs 'call'/],
  ['a step that does nothing', '- a: {}', /^1:3 step 'a' does nothing/],
  ['a second step of the same name', '- a: {return: 1}\n- a: {return: 2}', /^2:3 a second step 'a'/],
  [
    'an unknown variable',
    '- a: {return: "${b + 1}"}',
    /^1:18 symbol 'b' is neither a variable nor a subworkflow/,
  ],
  [
    'a variable of a loop outside of it',
    '- a: {for: {value: v, in: [1], steps: [{b: {assign: [{x: 1}]}}]}}\n- c: {return: "${x}"}',
    /^2:18 symbol 'x'/,
  ],
  ['an expression that does not parse', '- a: {return: "${1 +}"}', /^1:\d+ /],
  ['an expression that is too long', `- a: {return: "\${${'1+'.repeat(200)}1}"}`, /400/],
  [
    'an unknown function',
    '- a: {call: text.reverse, args: {source: x}}',
    /^1:13 the function text.reverse does not exist/,
  ],
  ['an unknown subworkflow', '- a: {call: sub}', /^1:13 there is no subworkflow or function 'sub'/],
  [
    'an unknown connector',
    '- a: {call: googleapis.x.v1.y.get}',
    /^1:13 the connector googleapis.x.v1.y.get is not registered/,
  ],
  ['a wrong argument', '- a: {call: http.get, args: {uri: x}}', /^1:13 http.get lacks its argument 'url'/],
  [
    'an argument that is not implemented',
    '- a: {call: http.get, args: {url: x, ca_certificate: y}}',
    /^1:\d+ http.get: the argument 'ca_certificate' is not implemented/,
  ],
  [
    'a function that waits in an expression',
    '- a: {return: "${http.get(\\"x\\")}"}',
    /^1:\d+ http.get waits/,
  ],
  [
    'too many arguments by place',
    'main: {steps: [{a: {return: "${s(1)}"}}]}\ns: {steps: [{a: {return: 1}}]}',
    /^1:\d+ s takes 0 arguments and gets 1/,
  ],
  ['a jump to nowhere', '- a: {next: b}', /^1:13 there is no step 'b'/],
  [
    'a jump into a nested block',
    '- a: {next: c}\n- b: {steps: [{c: {return: 1}}]}',
    /^1:13 there is no step 'c'/,
  ],
  ['break outside of a loop', '- a: {next: break}', /^1:13 'next: break' stands in no 'for'/],
  [
    'a jump out of a branch',
    yaml(`
    - a: {parallel: {branches: [{b: {steps: [{x: {next: e}}]}}, {c: {steps: [{y: {assign: [{z: 1}]}}]}}]}}
    - e: {return: 1}`),
    /^1:\d+ there is no step 'e'/,
  ],
  [
    'return in a branch',
    '- a: {parallel: {for: {value: v, in: [1], steps: [{b: {return: 1}}]}}}',
    /^1:\d+ step 'b': a branch of a parallel step cannot return/,
  ],
  [
    'an unshared write in a branch',
    '- i: {assign: [{t: 0}]}\n- a: {parallel: {for: {value: v, in: [1], steps: [{b: {assign: [{t: 1}]}}]}}}',
    /^2:\d+ 't' is written in a branch/,
  ],
  [
    'one branch',
    '- a: {parallel: {branches: [{b: {steps: [{c: {assign: [{d: 1}]}}]}}]}}',
    /branches are at least 2/,
  ],
  [
    'another exception policy',
    '- a: {parallel: {exception_policy: unhandled, for: {value: v, in: [1], steps: [{b: {assign: [{t: 1}]}}]}}}',
    /continueAll, and nothing else/,
  ],
  ['more than 50 assignments', `- a: {assign: [${'{b: 1}, '.repeat(51)}]}`, /51 are more than the 50/],
  [
    'more than 50 conditions',
    `- a: {switch: [${'{condition: true, next: end}, '.repeat(51)}]}`,
    /51 are more than the 50/,
  ],
  [
    'more than 10 parameters',
    `main: {steps: [{a: {return: 1}}]}\ns: {params: [${'abcdefghijk'.split('').join(',')}], steps: [{a: {return: 1}}]}`,
    /11 are more than the 10/,
  ],
  ['two parameters of main', 'main: {params: [a, b], steps: [{c: {return: 1}}]}', /2 are more than the 1/],
  [
    'a loop with in and range',
    '- a: {for: {value: v, in: [1], range: [1, 2], steps: [{b: {assign: [{c: 1}]}}]}}',
    /either 'in' or 'range'/,
  ],
  [
    'a retry that is no policy',
    '- a: {try: {return: 1}, retry: always}',
    /^1:\d+ step 'a': retry is a policy/,
  ],
  ['an unknown key of a retry', '- a: {try: {return: 1}, retry: {retries: 3}}', /has no key 'retries'/],
  ['except without as', '- a: {try: {return: 1}, except: {steps: [{b: {return: 1}}]}}', /has no 'as'/],
  [
    'a target that cannot be assigned',
    '- a: {assign: [{"b + 1": 1}]}',
    /^1:\d+ what is assigned to is a variable/,
  ],
  [
    'an integer of more than 64 bits',
    '- a: {return: 9223372036854775808}',
    /^1:15 9223372036854775808 is not an integer of 64 bits/,
  ],
];

describe('the loader refuses', () => {
  it.each(REFUSED)('%s', (_what, text, problem) => {
    const { workflow, problems } = loadWorkflow(text);
    expect(workflow).toBeUndefined();
    expect(problemsOf(text).filter((one) => problem.test(one))).not.toEqual([]);
    expect(problems.every(({ line, column }) => line > 0 && column > 0)).toBe(true);
  });

  it('all that is wrong at once, in the order of the source', () => {
    const text = yaml(`
      - a:
          assign:
            - x: \${y}
          next: nowhere
      - b:
          call: http.get
          args:
            uri: z
      - c:
          cal: x`);
    expect(problemsOf(text).map((one) => one.split(' ', 1)[0])).toEqual([
      '3:15',
      '4:11',
      '6:11',
      '8:7',
      '9:3',
      '10:5',
    ]);
  });

  it('nesting that no workflow has, without giving up itself', () => {
    for (const text of [
      '['.repeat(50_000),
      '{a: '.repeat(20_000),
      `- a: {return: ${'['.repeat(200)}${']'.repeat(200)}}`,
    ])
      expect(loadWorkflow(text).workflow).toBeUndefined();
  });
});

const UNVERIFIED: [what: string, text: string, problem: RegExp][] = [
  ['text around an expression', '- a: {return: "n: ${1}"}', /plain text/],
  [
    'a for right under try',
    '- a: {try: {for: {value: v, in: [1], steps: [{b: {assign: [{c: 1}]}}]}}}',
    /right under 'try'/,
  ],
  [
    'a range of two expressions',
    '- a: {for: {value: v, range: ["${1}", 2], steps: [{b: {assign: [{c: 1}]}}]}}',
    /write \$\{\[first, last\]\}/,
  ],
  [
    'a jump out of a loop',
    '- a: {for: {value: v, in: [1], steps: [{b: {next: c}}]}}\n- c: {return: 1}',
    /jump out of a 'for'/,
  ],
  [
    'the end of a subworkflow',
    'main: {steps: [{a: {call: s}}]}\ns: {steps: [{b: {next: end}}]}',
    /goes back to its caller/,
  ],
];

describe('the loader takes, and says that nobody has seen the service do it,', () => {
  it.each(UNVERIFIED)('%s', (_what, text, problem) => {
    const { workflow, problems } = loadWorkflow(text);
    expect(workflow).toBeDefined();
    expect(problems.map(({ severity }) => severity)).toEqual(['unverified']);
    expect(problems[0]?.message).toMatch(problem);
  });

  it('a connector in an expression', () => {
    const connectors = [
      { name: 'googleapis.secretmanager.accessString', parameters: [{ name: 'secret_id' }] },
    ];
    const text = `- a: {return: '\${googleapis.secretmanager.accessString("s")}'}`;
    const { workflow, problems } = loadWorkflow(text, { connectors });
    expect(workflow).toBeDefined();
    expect(problems).toMatchObject([
      { severity: 'unverified', message: expect.stringContaining('stands in an expression') },
    ]);
  });
});
