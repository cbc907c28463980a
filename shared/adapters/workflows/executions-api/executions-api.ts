import type { Runner } from '../engine/runner.ts';
import type { Workflow } from '../syntax/ast.ts';
import { answerCallback } from './answer-callback.ts';
import { type ApiError, apiError, errorResponse } from './api-error.ts';
import { createExecution } from './create-execution.ts';
import { executionResource, isView, type Place, stepResource } from './execution-resource.ts';
import { pageOf } from './page.ts';

export interface ExecutionsApiConfig {
  runner: Runner;
  /** A workflow by its name, as it is now; undefined: there is none. */
  workflow: (name: string) => Workflow | undefined;
}

/** What a route is given. */
export interface Call {
  readonly request: Request;
  readonly query: URLSearchParams;
  readonly place: Place;
  readonly id: string;
  /** What stands behind the execution in the path. */
  readonly rest: string;
}

const PATH =
  /^\/v1\/projects\/(?<project>[^/]+)\/locations\/(?<location>[^/]+)\/workflows\/(?<workflow>[^/:]+)\/executions(?:\/(?<id>[^/:]+)(?<rest>[:/].+)?)?$/;

/**
 * The Workflow Executions API v1 over a runner, as far as the official client needs it, with callbacks and step entries:
 * https://cloud.google.com/workflows/docs/reference/executions/rest. It asks nobody who they are: serve it on loopback only.
 */
export function createExecutionsApi(config: ExecutionsApiConfig): (request: Request) => Promise<Response> {
  return async (request) => {
    try {
      return await answer(config, request);
    } catch (error) {
      if (isApiError(error)) return errorResponse(error);
      throw error;
    }
  };
}

function isApiError(error: unknown): error is ApiError {
  return error instanceof Error && error.name === 'ApiError';
}

async function answer(config: ExecutionsApiConfig, request: Request): Promise<Response> {
  const { pathname, searchParams: query } = new URL(request.url);
  const parts = PATH.exec(decoded(pathname))?.groups;
  if (parts === undefined) throw apiError(404, `there is nothing at ${pathname}`);
  const { project = '', location = '', workflow = '', id = '', rest = '' } = parts;
  const { runner } = config;
  if (project !== runner.project || location !== runner.location)
    throw apiError(
      404,
      `there is no project ${project} in ${location} here; it is ${runner.project} in ${runner.location}`,
    );
  const call: Call = { request, query, place: { project, location, workflow }, id, rest };
  if (rest.startsWith('/callbacks/')) return await answerCallback(runner, call);
  const key = `${request.method} ${routeOf(call)}`;
  if (!Object.hasOwn(ROUTES, key)) throw apiError(404, `there is no ${request.method} ${pathname}`);
  return Response.json(await (ROUTES[key] as Route)(config, call));
}

function decoded(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    throw apiError(400, 'the path is not encoded as a URL is');
  }
}

function routeOf({ id, rest }: Call): string {
  if (id === '') return 'executions';
  return /^\/stepEntries\/\d+$/.test(rest) ? 'execution/stepEntries/n' : `execution${rest}`;
}

type Route = (config: ExecutionsApiConfig, call: Call) => object | Promise<object>;

const ROUTES: Record<string, Route> = {
  'POST executions': createExecution,
  'GET executions': list,
  'GET execution': ({ runner }, call) =>
    executionResource(found(runner, call), call.place, viewIn(call, 'FULL')),
  'POST execution:cancel': cancel,
  'GET execution/callbacks': callbacks,
  'GET execution/stepEntries': steps,
  'GET execution/stepEntries/n': step,
};

function viewIn({ query }: Call, byDefault: 'BASIC' | 'FULL'): 'BASIC' | 'FULL' {
  const view = query.get('view') ?? byDefault;
  if (view === 'EXECUTION_VIEW_UNSPECIFIED') return byDefault;
  if (isView(view)) return view;
  throw apiError(400, `view is '${view}' and takes BASIC or FULL`);
}

function found(runner: Runner, { id, place }: Call) {
  const view = runner.state(id);
  if (view?.workflow === place.workflow) return view;
  throw apiError(404, `Execution '${id}' of workflow ${place.workflow} not found.`);
}

const MOST = { BASIC: 1_000, FULL: 100 };

function list({ runner, workflow }: ExecutionsApiConfig, call: Call): object {
  const { place, query } = call;
  const view = viewIn(call, 'BASIC');
  for (const name of ['filter', 'orderBy'])
    if ((query.get(name) ?? '') !== '') throw apiError(400, `${name} is not implemented`);
  const { limit, after } = pageOf(query, MOST[view]);
  const some = runner.list(place.workflow, { limit: limit + 1, ...(after === undefined ? {} : { after }) });
  if (some.length === 0 && after === undefined && workflow(place.workflow) === undefined)
    throw apiError(404, `Workflow '${place.workflow}' not found.`);
  const executions = some.slice(0, limit).map((one) => executionResource(one, place, view));
  return { executions, nextPageToken: some.length > limit ? (some[limit - 1]?.id ?? '') : '' };
}

function cancel({ runner }: ExecutionsApiConfig, call: Call): object {
  const { state } = found(runner, call);
  if (!runner.cancel(call.id))
    throw apiError(
      400,
      `Execution '${call.id}' is in the final state ${state.toUpperCase()}.`,
      'FAILED_PRECONDITION',
    );
  return executionResource(found(runner, call), call.place, 'FULL');
}

function callbacks({ runner }: ExecutionsApiConfig, call: Call): object {
  found(runner, call);
  return {
    callbacks: runner
      .callbacks(call.id)
      .map(({ method, url }) => ({ method, name: new URL(url).pathname.slice(4), waiters: [] })),
    nextPageToken: '',
  };
}

function steps({ runner }: ExecutionsApiConfig, call: Call): object {
  found(runner, call);
  const { limit, after } = pageOf(call.query, MOST.BASIC);
  const all = runner.steps(call.id).filter(({ id }) => after === undefined || id > Number(after));
  const some = all.slice(0, limit);
  return {
    stepEntries: some.map((one) => stepResource(one, call.place, call.id)),
    totalSize: runner.steps(call.id).length,
    nextPageToken: all.length > limit ? String(some.at(-1)?.id ?? '') : '',
  };
}

function step({ runner }: ExecutionsApiConfig, call: Call): object {
  found(runner, call);
  const number = Number(call.rest.split('/').at(-1));
  const entry = runner.steps(call.id).find(({ id }) => id === number);
  if (entry === undefined) throw apiError(404, `step entry ${number} of execution '${call.id}' not found.`);
  return stepResource(entry, call.place, call.id);
}
