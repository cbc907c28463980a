import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type LocalHost, startHost } from '../../functions/local/host.ts';
import { createPinoLog } from '../../shared/adapters/local/pino-log.ts';
import { startScriptServer, type ScriptServer } from '../../shared/adapters/script/script-server.ts';
import type { Ports } from '../../shared/core/ports.ts';
import { refs } from '../../shared/core/refs.ts';
import { isTerminal, type Run } from '../../shared/core/run.ts';
import { readTasks } from '../../shared/core/run-tasks.ts';
import type { Task } from '../../shared/core/task.ts';
import type { RunView } from '../../shared/messages/run-view.ts';
import { parseTraceparent } from '../../shared/ports/traceparent.ts';
import { readConfig } from '../../shared/runtime/config.ts';
import { deliver, labelled } from '../runtime/signed-webhook.ts';
import { githubEnvironment, PERSON, TENANT } from '../support/platform.ts';
import { until } from '../support/scripts/integration-bench.ts';
import { GREETING, greetingOf } from '../support/scripts/greeting.ts';
import { plans, reviews, scriptOf, writes } from '../support/scripts/turns.ts';
import { type CollectedSpan, type SpanCollector, startSpanCollector } from '../support/span-collector.ts';
import type { Github } from '../support/github/github-driver.ts';
import { startGithub } from '../support/github/start-github.ts';

const TRACE_ID = '4bf92f3577b34da6a3ce929d0e0e4736';
const CALLER_SPAN = '00f067aa0ba902b7';

const SCRIPT = scriptOf(
  plans({ id: 'change', agent: 'backend_developer', instructions: 'Greet the world' }),
  writes('backend_developer', 'change', greetingOf('hello, world')),
  reviews('review', 'approve', ["+export const greeting = 'hello, world';"]),
);

interface Sent {
  topic: string;
  attributes: Record<string, string>;
}
type Entry = Record<string, unknown> & { message: string };

describe('A run that a webhook with a trace context starts', () => {
  let folder: string;
  let github: Github;
  let model: ScriptServer;
  let collector: SpanCollector;
  let host: LocalHost;
  const sent: Sent[] = [];
  const lines: string[] = [];
  let run: Run;
  let tasks: Task[];
  let spans: CollectedSpan[];

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'penstock-trace-'));
    github = await startGithub({ directory: join(folder, 'github') });
    const { repository, installationId } = await github.addRepository({
      owner: 'acme',
      name: 'hi',
      files: GREETING,
    });
    github.addUser(PERSON);
    github.setPermission(repository, PERSON, 'write');
    const { number } = await github.openIssue({ repository, title: 'Greet the world', author: PERSON });
    model = await startScriptServer({ script: SCRIPT });
    collector = await startSpanCollector();
    host = await startHost({
      config: readConfig({
        PATH: process.env['PATH'],
        PORT: '0',
        PENSTOCK_DATA: join(folder, 'data'),
        PENSTOCK_SWEEP_SECONDS: '0.3',
        OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
        ...githubEnvironment(github),
      }),
      model: { provider: 'script', baseUrl: model.url, apiKey: 'scripted' },
      log: createPinoLog({
        level: 'DEBUG',
        trace: { current: () => host?.runtime.ports.trace.current() },
        destination: { write: (line) => void lines.push(line) },
      }),
      decorate: (ports) => ({ ...ports, queue: recorded(ports.queue) }),
    });
    const payload = labelled({
      issue: {
        number,
        title: 'Greet the world',
        body: '',
        html_url: 'https://github.com/acme/hi/issues/1',
        labels: [{ name: 'penstock' }],
      },
      repository: { full_name: repository },
      installation: { id: installationId },
      sender: { login: PERSON, type: 'User' },
    });
    const answer = await deliver(host.url, {
      event: 'issues',
      payload,
      secret: github.app.webhookSecret,
      traceparent: `00-${TRACE_ID}-${CALLER_SPAN}-00`,
    });
    const id = answer.body.runId ?? '';
    const { store } = host.runtime;
    await until(
      'the run has ended',
      async () => isTerminal((await store.get(refs.run(TENANT, id)))?.data.stage ?? 'accepted'),
      60_000,
    );
    await host.runtime.queue.idle();
    run = (await store.get(refs.run(TENANT, id)))?.data as Run;
    tasks = await readTasks(store, TENANT, id);
    const view = await fetch(`${host.url}/api/runs/${id}`);
    expect(((await view.json()) as RunView).trace).toBe(TRACE_ID);
    await host.stop();
    spans = collector.spans().filter(({ traceId }) => traceId === TRACE_ID);
  }, 300_000);

  afterAll(async () => {
    await github.stop();
    await model.stop();
    await collector.stop();
    await rm(folder, { recursive: true, force: true });
  });

  function recorded(queue: Ports['queue']): Ports['queue'] {
    return {
      close: () => queue.close(),
      publish: async (topic, message, options) => {
        sent.push({ topic, attributes: options?.attributes ?? {} });
        await queue.publish(topic, message, options);
      },
    };
  }

  it('succeeds', () => {
    expect(run).toMatchObject({ stage: 'succeeded' });
    expect(tasks.map(({ lane }) => lane).toSorted()).toEqual(['function', 'function', 'job', 'job']);
  });

  it('keeps the trace in its record and in every task', () => {
    expect(parseTraceparent(run.traceparent)).toMatchObject({ traceId: TRACE_ID });
    for (const task of tasks) expect(task.traceparent).toBe(run.traceparent);
  });

  it('names it in every message', () => {
    expect(new Set(sent.map(({ topic }) => topic)).size).toBe(5);
    for (const { attributes } of sent)
      expect(parseTraceparent(attributes['traceparent'])?.traceId).toBe(TRACE_ID);
  });

  it('names it in every entry of the log about it, also those of its jobs', async () => {
    const jobFolder = join(folder, 'data', 'jobs');
    const files = (await readdir(jobFolder)).filter((name) => name.startsWith(run.id));
    expect(files).toHaveLength(2);
    const jobLines = await Promise.all(files.map((name) => readFile(join(jobFolder, name), 'utf8')));
    const entries = [...lines, ...jobLines.join('').trimEnd().split('\n')].map(
      (line) => JSON.parse(line) as Entry,
    );
    const own = entries.filter((entry) => entry['run'] === run.id);
    expect(own.map(({ message }) => message)).toEqual(
      expect.arrayContaining([`run ${run.id} succeeded`, 'attempt succeeded']),
    );
    for (const entry of own) {
      expect(entry).toMatchObject({ trace: TRACE_ID, 'logging.googleapis.com/trace': TRACE_ID });
    }
  });

  it('is one tree of spans below the span of who sent the webhook', () => {
    const ids = new Set(spans.map(({ spanId }) => spanId));
    expect(ids.size).toBe(spans.length);
    const roots = spans.filter(({ parentSpanId }) => !ids.has(parentSpanId));
    expect(roots).toMatchObject([{ name: 'webhooks POST', parentSpanId: CALLER_SPAN, service: 'penstock' }]);
  });

  it.each([
    ['plan', ['webhooks POST', 'decomposition', 'attempt']],
    ['change', ['webhooks POST', 'decomposition', 'result-handling', 'agent-execution', 'attempt']],
  ])('leads from the webhook to the attempt of task %s', (task, path) => {
    const attempts = spans.filter(
      ({ name, attributes }) => name === 'attempt' && attributes['task'] === task,
    );
    expect(attempts).toHaveLength(1);
    expect(attempts[0]?.attributes).toMatchObject({ tenant: TENANT, run: run.id, task, generation: 1 });
    expect(attempts[0] && pathTo(attempts[0]).map(({ name }) => name)).toEqual(path);
  });

  it('has what a job asked of the platform below its attempt', () => {
    const attempt = spans.find(
      ({ service, attributes }) => service === 'agent-job' && attributes['task'] === 'change',
    );
    const asked = spans.filter(({ parentSpanId }) => parentSpanId === attempt?.spanId);
    const paths = asked.map(({ attributes }) => attributes['url.path']);
    expect(paths).toEqual(
      expect.arrayContaining(
        ['claim', 'log', 'propose', 'finish', 'model/v1/messages'].map(
          (path) => `/internal/attempts/${path}`,
        ),
      ),
    );
    expect(new Set(asked.map(({ service }) => service))).toEqual(new Set(['penstock']));
  });

  function pathTo(span: CollectedSpan): CollectedSpan[] {
    const parent = spans.find(({ spanId }) => spanId === span.parentSpanId);
    return parent === undefined ? [span] : [...pathTo(parent), span];
  }
});
