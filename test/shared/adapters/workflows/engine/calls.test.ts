import { describe, expect, it } from '@jest/globals';
import type { Connector } from '../../../../../shared/adapters/workflows/engine/connector.ts';
import type { LogLine } from '../../../../../shared/adapters/workflows/engine/services.ts';
import {
  decodeValue,
  type Encoded,
  encodeValue,
} from '../../../../../shared/adapters/workflows/engine/value-codec.ts';
import { createVirtualClock } from '../../../../../shared/adapters/workflows/engine/virtual-clock.ts';
import { runJobsConnectors } from '../../../../../shared/adapters/workflows/connectors/run-jobs.ts';
import { fromPlain, toPlain, type Value } from '../../../../../shared/adapters/workflows/values.ts';
import { testRunner, yaml } from '../run-workflow.ts';

interface Asked {
  method: string;
  url: string;
  headers: Headers;
  body: string;
  atMs: number;
}

/** Answers requests one after another, and keeps what was asked. */
function answering(...answers: (Response | Error | ((signal: AbortSignal) => Promise<Response>))[]) {
  const asked: Asked[] = [];
  const clock = createVirtualClock();
  const ask: typeof fetch = async (url, init = {}) => {
    const { method = 'GET', headers, body } = init;
    asked.push({
      method,
      url: url as string,
      headers: new Headers(headers),
      body: body === undefined || body === null ? '' : (body as string | Uint8Array).toString(),
      atMs: clock.now(),
    });
    const answer = answers.length > 1 ? answers.shift() : answers[0];
    if (typeof answer === 'function') return await answer(init.signal as AbortSignal);
    if (answer instanceof Error) throw answer;
    return (answer as Response).clone();
  };
  return { asked, clock, fetch: ask };
}

const refused = (code: string): Error => Object.assign(new TypeError('fetch failed'), { cause: { code } });
const GET = '- a: {call: http.get, args: {url: "https://x.example/y"}, result: r}\n- b: {return: "${r}"}';

describe('http', () => {
  it('encodes the query and answers with body, code and headers', async () => {
    const world = answering(Response.json({ n: 1, d: 1.5 }, { status: 201, headers: { 'x-one': '1' } }));
    const { result } = testRunner(world);
    const answer = await result(
      yaml(`
      - a:
          call: http.get
          args: {url: 'https://x.example/y?z=0', query: {q: Hello World, n: 123, l: [a, b]}, headers: {X-Two: '2'}}
          result: r
      - b: {return: \${r}}`),
    );
    expect(answer).toMatchObject({ code: 201, body: { n: 1, d: 1.5 }, headers: { 'x-one': '1' } });
    expect(world.asked[0]?.url).toBe('https://x.example/y?z=0&q=Hello+World&n=123&l=a&l=b');
    expect(world.asked[0]?.headers.get('x-two')).toBe('2');
    expect(world.asked[0]?.headers.get('user-agent')).toMatch(/GoogleCloudWorkflows/);
  });

  it.each([
    ['JSON by default', '{a: 1, b: 1.0}', undefined, '{"a":1,"b":1.0}', /^application\/json; charset=utf-8$/],
    ['bytes', '${text.encode("hi")}', undefined, 'hi', /^application\/octet-stream$/],
    ['a form', '{a: "1 2", b: 3}', 'application/x-www-form-urlencoded', 'a=1+2&b=3', /urlencoded/],
    ['text', 'plain', 'text/plain', 'plain', /^text\/plain$/],
  ])('sends %s', async (_what, body, type, sent, contentType) => {
    const world = answering(new Response(null, { status: 204 }));
    const headers = type === undefined ? '' : `, headers: {Content-Type: '${type}'}`;
    const quoted = body.startsWith('$') ? `'${body}'` : body;
    await testRunner(world).result(
      `- a: {call: http.post, args: {url: "https://x.example/", body: ${quoted}${headers}}}`,
    );
    const [{ body: given, headers: had } = { body: '', headers: new Headers() }] = world.asked;
    expect(given === '104,105' ? 'hi' : given).toBe(sent);
    expect(had.get('content-type')).toMatch(contentType);
  });

  it.each([
    ['text', 'text/plain; charset=utf-8', 'hé', 'hé'],
    ['JSON of a vendor', 'application/vnd.x+json', '[1]', [1]],
    ['what is no JSON after all, as text', 'application/json', 'oops', 'oops'],
  ])('reads %s', async (_what, type, body, gives) => {
    const world = answering(new Response(body, { headers: { 'content-type': type } }));
    expect(await testRunner(world).result(GET)).toMatchObject({ body: gives });
  });

  it.each([
    [
      'an HttpError from 400 on',
      Response.json({ why: 'gone' }, { status: 404 }),
      { tags: ['HttpError'], code: 404, body: { why: 'gone' } },
    ],
    [
      'a ConnectionFailedError where nobody listens',
      refused('ECONNREFUSED'),
      { tags: ['ConnectionFailedError', 'OSError'] },
    ],
    [
      'a ConnectionError where the connection breaks',
      refused('ECONNRESET'),
      { tags: ['ConnectionError', 'OSError'] },
    ],
  ])('raises %s', async (_what, answer, error) => {
    const { run } = testRunner(answering(answer));
    const { error: told } = await run(GET);
    expect(JSON.parse(told?.payload ?? '')).toMatchObject(error);
  });

  it('raises a TimeoutError when no answer comes in time, and lets go of the request', async () => {
    let isAborted = false;
    const world = answering(
      (signal) =>
        new Promise((_resolve, reject) => {
          signal.addEventListener('abort', () => {
            isAborted = true;
            reject(new Error('aborted'));
          });
        }),
    );
    const { run, clock } = testRunner(world);
    const ended = run('- a: {call: http.get, args: {url: "https://x.example/", timeout: 7}}');
    const from = clock.now();
    await clock.advance(7_000);
    const { error } = await ended;
    expect(JSON.parse(error?.payload ?? '')).toMatchObject({
      message: 'request timed out',
      tags: ['TimeoutError', 'OSError'],
    });
    expect([isAborted, clock.now() - from]).toEqual([true, 7_000]);
  });

  it('waits between the tries of http.default_retry as its backoff says', async () => {
    const busy = (): Response => new Response('busy', { status: 503 });
    const world = answering(busy(), busy(), Response.json('ok'));
    const text = GET.replace('{call', '{try: {call').replace(
      'result: r}',
      'result: r}, retry: "${http.default_retry}"}',
    );
    expect(await testRunner(world).result(text)).toMatchObject({ body: 'ok' });
    const [first = 0, ...later] = world.asked.map(({ atMs }) => atMs);
    expect(later.map((at) => at - first)).toEqual([1_000, 1_000 + 1_250]);
  });

  it('asks as who it is, by identity or access token', async () => {
    const world = answering(Response.json(1));
    const auth = {
      oidc: (audience: string) => Promise.resolve(`id:${audience}`),
      oauth2: (scopes: readonly string[]) => Promise.resolve(`access:${scopes.length}`),
    };
    await testRunner({ ...world, auth }).result(
      yaml(`
        - a: {call: http.get, args: {url: 'https://x.example/y?z=1', auth: {type: OIDC}}}
        - b: {call: http.get, args: {url: 'https://x.example/', auth: {type: OIDC, audience: 'https://aud.example'}}}
        - c: {call: http.get, args: {url: 'https://x.example/', auth: {type: OAuth2, scopes: [a, b]}}}`),
    );
    expect(world.asked.map(({ headers }) => headers.get('authorization'))).toEqual([
      'Bearer id:https://x.example/y',
      'Bearer id:https://aud.example',
      'Bearer access:2',
    ]);
    const { error } = await testRunner(world).run(
      '- a: {call: http.get, args: {url: "https://x.example", auth: {type: OIDC}}}',
    );
    expect(error?.payload).toMatch(/"AuthError"/);
  });
});

describe('callbacks', () => {
  const WAIT = yaml(`
    - open: {call: events.create_callback_endpoint, args: {http_callback_method: POST}, result: c}
    - wait:
        try: {call: events.await_callback, args: {callback: \${c}, timeout: 60}, result: r}
        except: {as: e, steps: [{late: {return: \${e.tags[0]}}}]}
    - done: {return: \${r.n}}`);

  function waiting() {
    const clock = createVirtualClock({ isAutomatic: false });
    const world = testRunner({ clock });
    const execution = world.runner.start(world.load(WAIT), null);
    const send = (n: number, method = 'POST') => {
      const [endpoint] = world.runner.callbacks(execution);
      const value = fromPlain({ n });
      return world.runner.receive({ execution, callback: endpoint?.id ?? '', method, value });
    };
    const result = async () => toPlain((await world.runner.finished(execution)).result ?? null);
    return { ...world, execution, send, result };
  }

  it('wake the execution that waits', async () => {
    const { clock, send, result } = waiting();
    await clock.settled();
    expect(send(1, 'GET')).toBe('wrong_method');
    expect([send(1), send(2)]).toEqual(['accepted', 'accepted']);
    expect(await result()).toBe(1);
    expect(send(3)).toBe('not_found');
  });

  it('are kept when they come early', async () => {
    const clock = createVirtualClock();
    const early: string[] = [];
    const world = testRunner({ clock, log: () => early.push(send()) });
    const execution = world.runner.start(
      world.load(WAIT.replace('- wait:', '- tell: {call: sys.log, args: {text: now}}\n- wait:')),
      null,
    );
    const send = (): string => {
      const [endpoint] = world.runner.callbacks(execution);
      return world.runner.receive({
        execution,
        callback: endpoint?.id ?? '',
        method: 'POST',
        value: fromPlain({ n: 5 }),
      });
    };
    expect(toPlain((await world.runner.finished(execution)).result ?? null)).toBe(5);
    expect(early).toEqual(['accepted']);
  });

  it('raise a TimeoutError when none comes', async () => {
    const { clock, result } = waiting();
    await clock.advance(59_999);
    const ended = result();
    await clock.advance(1);
    expect(await ended).toBe('TimeoutError');
  });
});

describe('an execution that is cancelled', () => {
  it('ends at once, and nothing of it runs on', async () => {
    const lines: LogLine[] = [];
    const { runner, load, clock } = testRunner({
      clock: createVirtualClock({ isAutomatic: false }),
      log: (line) => lines.push(line),
    });
    const id = runner.start(
      load('- a: {call: sys.sleep, args: {seconds: 5}}\n- b: {call: sys.log, args: {text: no}}'),
      null,
    );
    await clock.settled();
    expect(runner.state(id)).toMatchObject({ state: 'active', current: [{ routine: 'main', step: 'a' }] });
    expect([runner.cancel(id), runner.cancel(id)]).toEqual([true, false]);
    await clock.advance(10_000);
    expect([runner.state(id)?.state, lines]).toEqual(['cancelled', []]);
  });

  it('stops in the middle of an endless loop, and lets time go on for the others', async () => {
    const { runner, load, result } = testRunner();
    const id = runner.start(load('- a: {next: a}'), null);
    await new Promise((resolve) => {
      setImmediate(resolve);
    });
    expect([runner.cancel(id), runner.state(id)?.state]).toEqual([true, 'cancelled']);
    expect(await result('- a: {call: sys.sleep, args: {seconds: 5}}\n- b: {return: 1}')).toBe(1);
  });
});

describe('sys.log', () => {
  it('hands over what was logged, and how grave it is', async () => {
    const lines: LogLine[] = [];
    await testRunner({ log: (line) => lines.push(line) }).result(
      '- a: {call: sys.log, args: {json: {x: 1}, severity: WARNING}}',
    );
    expect(lines).toMatchObject([{ workflow: 'test', severity: 'WARNING', data: new Map([['x', 1n]]) }]);
  });
});

const JOB = 'projects/p/locations/l/jobs/j';
const RUN_JOB = yaml(`
  - a:
      call: googleapis.run.v2.projects.locations.jobs.run
      args: {name: ${JOB}, body: {overrides: {}}, connector_params: {timeout: 100}}
      result: r
  - b: {return: \${r}}`);
const auth = { oidc: () => Promise.resolve('i'), oauth2: () => Promise.resolve('t') };
const operation = (more: object = {}): Response => Response.json({ name: `${JOB}/operations/o`, ...more });

describe('a connector', () => {
  it('follows a long-running operation to its end, waiting longer each time', async () => {
    const world = answering(
      operation(),
      operation(),
      operation(),
      operation({ done: true, response: { ok: true } }),
    );
    const { result } = testRunner({ ...world, auth, connectors: runJobsConnectors() });
    expect(await result(RUN_JOB)).toEqual({ ok: true });
    expect(world.asked.map(({ method, url }) => `${method} ${url}`)).toEqual([
      `POST https://run.googleapis.com/v2/${JOB}:run`,
      ...Array.from({ length: 3 }, () => `GET https://run.googleapis.com/v2/${JOB}/operations/o`),
    ]);
    const [first = 0, ...polls] = world.asked.map(({ atMs }) => atMs);
    expect(polls.map((at) => at - first)).toEqual([1_000, 2_250, 3_812.5]);
  });

  it.each([
    [
      'an OperationError when it failed',
      operation({ done: true, error: { message: 'no memory' } }),
      /OperationError/,
    ],
    ['a TimeoutError when it does not end in time', operation(), /TimeoutError/],
    ['a ResponseTypeError for what is no operation', Response.json([]), /ResponseTypeError/],
    ['an HttpError when it is refused', new Response('no', { status: 403 }), /HttpError/],
  ])('raises %s', async (_what, answer, tag) => {
    const { run } = testRunner({ ...answering(answer), auth, connectors: runJobsConnectors() });
    expect((await run(RUN_JOB)).error?.payload).toMatch(tag);
  });

  it('answers at once with skip_polling', async () => {
    const { result } = testRunner({ ...answering(operation()), auth, connectors: runJobsConnectors() });
    expect(await result(RUN_JOB.replace('timeout: 100', 'skip_polling: true'))).toEqual({
      name: `${JOB}/operations/o`,
    });
  });

  it('tries again by itself only what cannot have been carried out', async () => {
    const world = answering(new Response('busy', { status: 503 }), operation({ done: true, response: 1 }));
    const { result } = testRunner({ ...world, auth, connectors: runJobsConnectors() });
    expect(await result(RUN_JOB)).toBe(1);
    const broken = answering(refused('ECONNRESET'));
    const { run } = testRunner({ ...broken, auth, connectors: runJobsConnectors() });
    expect((await run(RUN_JOB)).state).toBe('failed');
    expect(broken.asked).toHaveLength(1);
  });

  it('follows the execution that the older API answers with', async () => {
    const execution = (status: object): Response =>
      Response.json({ metadata: { namespace: 'p', name: 'e1' }, status });
    const completed = { conditions: [{ type: 'Completed', status: 'True' }] };
    const world = answering(execution({}), execution(completed));
    const { result } = testRunner({ ...world, auth, connectors: runJobsConnectors() });
    const text =
      '- a: {call: googleapis.run.v1.namespaces.jobs.run, args: {name: namespaces/p/jobs/j, location: us-x1}, result: r}\n- b: {return: "${r.status}"}';
    expect(await result(text)).toEqual(completed);
    expect(world.asked.map(({ url }) => url)).toEqual([
      'https://us-x1-run.googleapis.com/apis/run.googleapis.com/v1/namespaces/p/jobs/j:run',
      'https://us-x1-run.googleapis.com/apis/run.googleapis.com/v1/namespaces/p/executions/e1',
    ]);
  });

  it('is anything that is registered under its name', async () => {
    const double: Connector = {
      name: 'googleapis.test.v1.double',
      parameters: [{ name: 'n' }],
      start: (args) => Promise.resolve(Number(args.get('n')) * 2),
    };
    const { result } = testRunner({ connectors: [double] });
    expect(
      await result('- a: {call: googleapis.test.v1.double, args: {n: 21}, result: r}\n- b: {return: "${r}"}'),
    ).toBe(42);
  });
});

describe('a value that is written down', () => {
  it.each<[string, Value]>([
    ['an integer beyond what a double holds', 2n ** 62n + 1n],
    ['a double that is whole', 2],
    ['a double that JSON has not', Number.NEGATIVE_INFINITY],
    ['minus nothing', -0],
    ['bytes', new Uint8Array([0, 255])],
    [
      'a map that looks like what it is written as',
      new Map<string, Value>([
        ['i', '1'],
        ['m', [null, true]],
        ['__proto__', 'x'],
      ]),
    ],
  ])('comes back as it was: %s', (_what, value) => {
    expect(decodeValue(JSON.parse(JSON.stringify(encodeValue(value))) as Encoded)).toEqual(value);
  });
});
