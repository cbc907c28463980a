import { serve, type ServerType } from '@hono/node-server';
import { Hono, type Context } from 'hono';
import { streamSSE } from 'hono/streaming';
import type { AddressInfo } from 'node:net';
import { toProblem } from '../../shared/runtime/problem-response.ts';
import { requirementBody } from '../../shared/messages/requirement-body.ts';
import type { CostView, PlanView, RunEvent, RunView, TaskView } from '../../shared/messages/run-view.ts';
import type { TranscriptLine } from '../../shared/messages/transcript-line.ts';
import { PenstockError } from '../../shared/ports/penstock-error.ts';

/** A run as the API would show it. */
export interface StandInRun {
  run: RunView;
  tasks: TaskView[];
  plan?: PlanView;
  cost: CostView;
  events: RunEvent[];
  /** By `{task}/{generation}`. */
  transcripts?: Record<string, TranscriptLine[]>;
}

export interface ApiCall {
  method: string;
  path: string;
  headers: Record<string, string>;
  body: unknown;
}

export interface ApiStandIn {
  url: string;
  calls: ApiCall[];
  runs: StandInRun[];
  /** Answers the next so many calls with this error. */
  failNext(error: PenstockError, times?: number): void;
  /** Each connection of an event stream breaks after so many events. */
  cutEventsAfter(events: number): void;
  stop(): Promise<void>;
}

/**
 * The API with answers that a test chooses, for what a real platform does not do on demand: broken streams, refusals,
 * runs that end in every way. A submission is answered with the first run.
 */
export async function startApiStandIn(runs: StandInRun[]): Promise<ApiStandIn> {
  const calls: ApiCall[] = [];
  const errors: PenstockError[] = [];
  let cutAfter = Number.POSITIVE_INFINITY;
  const app = new Hono();
  app.onError((error, context) => asProblem(context, error));
  app.notFound((context) =>
    asProblem(context, new PenstockError('not_found', `there is no ${context.req.path}`)),
  );
  app.use(async (context, next) => {
    calls.push(await callOf(context));
    const error = errors.shift();
    if (error !== undefined) throw error;
    await next();
  });
  const find = (context: Context): StandInRun => {
    const found = runs.find(({ run }) => run.id === context.req.param('id'));
    if (found === undefined)
      throw new PenstockError('not_found', `there is no run ${context.req.param('id')}`);
    return found;
  };
  app.post('/api/requirements', (context) => {
    const body = requirementBody.parse(calls.at(-1)?.body);
    const [first] = runs;
    if (first === undefined)
      throw new PenstockError('invalid', `nothing is prepared for ${body.requirement}`);
    return context.json(acceptedAnswer(first.run.id), 202);
  });
  app.get('/api/runs', (context) => context.json(pageOf(runs, context)));
  app.get('/api/runs/:id', (context) => context.json(find(context).run));
  app.get('/api/runs/:id/tasks', (context) => context.json({ items: find(context).tasks }));
  app.get('/api/runs/:id/cost', (context) => context.json(find(context).cost));
  app.get('/api/runs/:id/plan', (context) => {
    const { plan, run } = find(context);
    if (plan === undefined) throw new PenstockError('not_found', `run ${run.id} has no plan`);
    return context.json(plan);
  });
  app.post('/api/runs/:id/cancel', (context) =>
    context.json({ ...find(context).run, stage: 'cancelling' }, 202),
  );
  app.get('/api/runs/:id/tasks/:task/attempts/:n/transcript', (context) => {
    const lines = find(context).transcripts?.[`${context.req.param('task')}/${context.req.param('n')}`] ?? [];
    return context.body(lines.map((line) => `${JSON.stringify(line)}\n`).join(''), 200, {
      'content-type': 'application/x-ndjson',
    });
  });
  app.get('/api/runs/:id/events', (context) => streamEvents(context, find(context), cutAfter));
  const { server, url } = await listen(app);
  return {
    url,
    calls,
    runs,
    failNext: (error, times = 1) => errors.push(...Array.from({ length: times }, () => error)),
    cutEventsAfter: (events) => (cutAfter = events),
    stop: () => close(server),
  };
}

function close(server: ServerType): Promise<void> {
  return new Promise((resolve, reject) => {
    server.close((error) => (error === undefined ? resolve() : reject(error)));
    if ('closeAllConnections' in server) server.closeAllConnections();
  });
}

function streamEvents(context: Context, { events }: StandInRun, cutAfter: number): Response {
  const after = Number(context.req.header('last-event-id') ?? 0);
  return streamSSE(context, async (out) => {
    await out.write(': here\n\n');
    for (const event of events.filter(({ seq }) => seq > after).slice(0, cutAfter)) {
      await out.writeSSE({ id: String(event.seq), event: event.type, data: JSON.stringify(event) });
    }
  });
}

/** Two entries a page, so that whoever looks for a run has to turn pages. */
function pageOf(runs: StandInRun[], context: Context): object {
  const limit = Math.min(2, Number(context.req.query('limit') ?? 2));
  const from = Number(context.req.query('cursor') ?? 0);
  const next = from + limit < runs.length ? { next: String(from + limit) } : {};
  return { items: runs.slice(from, from + limit).map(({ run }) => run), ...next };
}

function acceptedAnswer(runId: string): object {
  const links = { run: `/api/runs/${runId}`, page: `/runs/${runId}`, events: `/api/runs/${runId}/events` };
  return { runId, stage: 'accepted', duplicate: false, links };
}

function asProblem(context: Context, error: unknown): Response {
  const problem = toProblem(error);
  return context.body(JSON.stringify(problem), problem.status as 400, {
    'content-type': 'application/problem+json',
  });
}

async function callOf(context: Context): Promise<ApiCall> {
  const text = await context.req.text();
  const { pathname, search } = new URL(context.req.url);
  const body: unknown = text === '' ? undefined : JSON.parse(text);
  return { method: context.req.method, path: `${pathname}${search}`, headers: context.req.header(), body };
}

function listen(app: Hono): Promise<{ server: ServerType; url: string }> {
  return new Promise((resolve) => {
    const server = serve({ fetch: app.fetch, port: 0, hostname: '127.0.0.1' }, (info: AddressInfo) => {
      resolve({ server, url: `http://127.0.0.1:${info.port}` });
    });
  });
}
