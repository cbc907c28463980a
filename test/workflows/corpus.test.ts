import { describe, expect, it } from '@jest/globals';
import { compileExpression } from '../../shared/adapters/workflows/expressions/compile.ts';
import { fromPlain, toPlain } from '../../shared/adapters/workflows/values.ts';
import { readCorpus, type Corpus, type Mock, type Sample } from './corpus.ts';
import { load, play, type PlayOptions } from './play.ts';

const folder = process.env['PENSTOCK_WORKFLOWS_CORPUS'];
const group = folder === undefined ? skippedAloud() : describe;
const { samples, expressions }: Corpus =
  folder === undefined ? { samples: [], expressions: [] } : readCorpus(folder);

function skippedAloud(): typeof describe.skip {
  process.stderr.write("skipped: Google's samples (PENSTOCK_WORKFLOWS_CORPUS names no folder)\n");
  return describe.skip;
}

/** A row where there are none, so that a skipped table is still a table. */
function rows<T>(all: readonly T[], row: (one: T) => [string, T]): [string, T][] {
  return all.length === 0 ? [['none', undefined as T]] : all.map(row);
}

const byFile = (part: (sample: Sample) => boolean): [string, Sample][] =>
  rows(samples.filter(part), (sample) => [sample.file, sample]);

function sampleNamed(file: string): Sample {
  const sample = samples.find((one) => one.file === file);
  if (sample === undefined) throw new Error(`the corpus has no ${file}`);
  return sample;
}

/** What a sample lacks to be deployed: Google's cheat sheet shows the syntax, it is no workflow that runs. */
const REFUSALS: Record<string, string[]> = {
  'demos-syntax-cheat-sheet-workflow.yaml': [
    "79: symbol 'var' is neither a variable nor a subworkflow name",
    "169: a second step 'init' in the same list",
    '309: the connector googleapis.compute.v1.instances.insert is not registered with this runner',
  ],
};

/** Samples whose expected value is not simply the result. */
const SPECIAL = new Set(['demos-callback-basic-workflow-get.yaml', 'samples-parallel_error_handling.yaml']);

group("a sample of Google's", () => {
  it.each(byFile(() => true))('%s loads, or is refused for what it lacks', (file, sample) => {
    const errors = load(sample).problems.filter(({ severity }) => severity === 'error');
    expect(errors.map(({ line, message }) => `${line}: ${message}`)).toEqual(REFUSALS[file] ?? []);
  });

  it.each(byFile(({ file, expected }) => expected !== undefined && !SPECIAL.has(file)))(
    '%s gives its value',
    async (_, sample) => {
      const { view, result } = await play(sample);
      expect(view.error).toBeUndefined();
      expect(result).toEqual(sample.expected);
    },
  );

  it.each(byFile(({ attempts }) => attempts !== undefined))(
    '%s tries again as often as it says',
    async (_, sample) => {
      const { requests } = await play(sample);
      const waits = requests.slice(1).map(({ at }, index) => at - (requests[index]?.at ?? 0));
      expect(requests).toHaveLength(sample.attempts ?? 0);
      expect(waits).toEqual(sample.delays_s ?? waits);
    },
  );

  it.each(byFile(({ trace }) => trace !== undefined))(
    '%s goes through its steps in order',
    async (_, sample) => {
      expect((await play(sample)).steps).toEqual(sample.trace);
    },
  );
});

group('the notes on a sample', () => {
  it('say that a query is encoded into the URL', async () => {
    const { requests } = await play(sampleNamed('samples-http_get.yaml'));
    const query = new URL(requests[0]?.url ?? '').searchParams;
    expect(Object.fromEntries(query)).toEqual({ some_val: 'Hello World', another_val: '123' });
  });

  it('say that auth of type OAuth2 sends an access token', async () => {
    const { requests } = await play(sampleNamed('demos-gcs-read-write-json-gcs-env-var-workflow.yaml'));
    expect(requests.map(({ authorization }) => authorization)).toEqual(['Bearer access', null]);
  });

  it('say what in gives for an argument that is null', async () => {
    const { argument: _, ...withoutArgument } = sampleNamed('samples-quickstart.yaml');
    const { view } = await play(withoutArgument);
    expect(view).toMatchObject({ state: 'failed' });
    expect(view.error?.context).toContain("The argument of 'in' must be a dict or an array; got: null");
  });

  it('say that the location is the search term when none is given', async () => {
    const { requests } = await play({ ...sampleNamed('samples-quickstart.yaml'), argument: {} });
    expect(new URL(requests[0]?.url ?? '').searchParams.get('search')).toBe('europe');
  });

  it('say that each failed iteration of a parallel loop raised its own error', async () => {
    const { expected, ...sample } = sampleNamed('samples-parallel_error_handling.yaml');
    const { tags_contains: tag, branches } = expected as { tags_contains: string; branches: number };
    const result = (await play(sample)).result as { tags: string[]; branches: unknown[] };
    expect(result.tags).toContain(tag);
    expect(result.branches).toHaveLength(branches);
    expect(JSON.stringify(result.branches)).toContain('how odd!');
  });

  it.each<[string, number, string]>([
    [
      'rejects the order after a 500, which is not retried',
      500,
      'https://order-service-wvdg6hhtla-uc.a.run.app/reject/o1',
    ],
    ['approves it after a 200', 200, 'https://order-service-wvdg6hhtla-uc.a.run.app/approve/o1'],
  ])('say that the saga %s', async (_, status, last) => {
    const { result, requests } = await play({
      ...sampleNamed('demos-retries-and-saga-ordering-v3.yaml'),
      mock: saga(status),
    });
    expect(requests.map(({ method }) => method)).toEqual(['POST', 'POST', 'PUT']);
    expect(requests[1]?.body).toBe('{"customerId":"c1","amount":10.5}');
    expect(requests[2]?.url).toBe(last);
    expect(result).toMatchObject({ code: 200, body: { id: 'o1' } });
  });

  it('say that the saga tries a 503 again', async () => {
    const { requests } = await play({
      ...sampleNamed('demos-retries-and-saga-ordering-v3.yaml'),
      mock: saga(503, 503, 200),
    });
    expect(requests.map(({ method }) => method)).toEqual(['POST', 'POST', 'POST', 'POST', 'PUT']);
  });
});

group("Google's cheat sheet, with what it lacks put right", () => {
  it('goes through all its syntax to the error it raises on purpose', async () => {
    const sample = sampleNamed('demos-syntax-cheat-sheet-workflow.yaml');
    const source = sample.source
      .replace(/^.*var\.key.*\n/m, '')
      .replace(/(# Parallel iteration\n\s+- )init:/, '$1init_total:')
      .replace('googleapis.compute.v1.instances.insert', 'googleapis.bigquery.v2.jobs.insert');
    const argument = { arg1: 1, arg2: null, userId: 'u', notificationId: 'n', posts: [] };
    const mock = [{ match: 'GET https://example.com/', reply: { code: 200, json: {} } }];
    const { view, steps, requests } = await play({ ...sample, source, argument, mock });
    expect(view.error?.payload).toBe('"Something went wrong."');
    expect(requests.map(({ url }) => url).toSorted()).toEqual([
      'https://example.com/notification/n',
      'https://example.com/users/u',
    ]);
    expect(steps.slice(0, 3)).toEqual(['read_runtime_args', 'data_types', 'conversion_functions']);
    expect(steps).not.toContain('step_with_end');
    expect(steps.slice(-3)).toEqual(['call_subworkflow', 'call_subworkflow2', 'raise_custom_string_error']);
  });
});

group('a sample that waits for a callback', () => {
  it('answers with the request', async () => {
    const { expected, ...sample } = sampleNamed('demos-callback-basic-workflow-get.yaml');
    const { result } = await play(sample, callback('GET', null));
    expect(result).toMatchObject(expected as object);
    expect(Object.keys(result as object).toSorted()).toEqual(['body', 'headers', 'method', 'query', 'url']);
  });

  it('goes on with what a person approved', async () => {
    const sample = {
      ...sampleNamed('demos-callback-translation-translation-validation.yaml'),
      argument: { text: 'hello' },
    };
    const { result } = await play(sample, callback('POST', { approved: true }));
    expect(result).toEqual({ text: 'hello', translation: 'hello (FR)', approved: true });
  });

  it('fails with a TimeoutError when nobody calls', async () => {
    const { view, seconds } = await play(sampleNamed('demos-callback-basic-workflow-get.yaml'));
    expect(view.error?.payload).toContain('TimeoutError');
    expect(seconds).toBe(3600);
  });
});

group('a sample that calls Google', () => {
  it('runs a job of Cloud Run for a file of its bucket, and waits for it', async () => {
    const sample = sampleNamed('demos-cloud-run-jobs-workflow.yaml');
    const event = { data: { bucket: 'input-P', name: 'file.txt' } };
    const { result, polls } = await play({ ...sample, argument: event });
    expect(result).toEqual({
      name: 'namespaces/P/jobs/parallel-job',
      location: 'us-central1',
      completed: true,
    });
    expect(polls).toBe(3);
    expect((await play({ ...sample, argument: { data: { bucket: 'other', name: 'f' } } })).result).toBeNull();
  });

  it('polls as its own policy says', async () => {
    const { result, seconds } = await play(sampleNamed('samples-poll_bigquery_job_auto.yaml'));
    expect(result).toEqual({ state: 'DONE' });
    expect(seconds).toBe(2 + 3 + 4.5);
  });
});

group("an expression of Google's reference", () => {
  it.each(rows(expressions, (vector) => [vector.expr, vector]))('%s', (source, { expected }) => {
    const compiled = compileExpression(source);
    const scope = { get: () => undefined, env: () => undefined, call: async () => null };
    expect(compiled).toMatchObject({ ok: true });
    expect(compiled.ok ? toPlain(compiled.expression.evaluate(scope)) : undefined).toEqual(expected);
  });
});

/** An order, a customer service that answers with these, and what becomes of the order. */
function saga(...statuses: number[]): Mock[] {
  const replies = statuses.map((code) => ({ code, json: {} }));
  return [
    { match: 'POST https://order-service', reply: { code: 200, json: { id: 'o1', customerId: 'c1' } } },
    { match: 'POST https://customer-service', reply: replies },
    { match: 'PUT https://order-service', reply: { code: 200, json: { id: 'o1' } } },
  ];
}

function callback(method: string, body: unknown): PlayOptions {
  return {
    meanwhile({ runner, id }) {
      const [endpoint] = runner.callbacks(id);
      const http_request = { body, headers: {}, method, query: {}, url: endpoint?.url };
      const value = fromPlain({ http_request, received_time: '2026-01-01T00:00:00Z', type: 'HTTP' });
      expect(runner.receive({ execution: id, callback: endpoint?.id ?? '', method, value })).toBe('accepted');
    },
  };
}
