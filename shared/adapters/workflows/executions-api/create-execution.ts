import { Raised } from '../errors.ts';
import { plainText } from '../plain-text.ts';
import { fromJson, isMap, type Value } from '../values.ts';
import { apiError } from './api-error.ts';
import { executionResource } from './execution-resource.ts';
import type { Call, ExecutionsApiConfig } from './executions-api.ts';

/** The body is an execution, of which its creator gives the argument, as JSON in a string, and labels. */
export async function createExecution(
  { runner, workflow }: ExecutionsApiConfig,
  { request, place }: Call,
): Promise<object> {
  const found = workflow(place.workflow);
  if (found === undefined) throw apiError(404, `Workflow '${place.workflow}' not found.`);
  const body = bodyOf(await request.text());
  const labels = labelsIn(body);
  try {
    const id = runner.start(found, argumentIn(body), labels === undefined ? {} : { labels });
    const view = runner.state(id);
    return view === undefined ? {} : executionResource(view, place, 'FULL');
  } catch (error) {
    if (error instanceof Raised) throw apiError(400, error.message);
    throw error;
  }
}

function bodyOf(text: string): ReadonlyMap<string, Value> {
  const body = text === '' ? new Map<string, Value>() : parsed(text, 'the body');
  if (isMap(body)) return body;
  throw apiError(400, 'the body is an execution, a JSON object');
}

function argumentIn(body: ReadonlyMap<string, Value>): Value {
  const argument = body.get('argument') ?? '';
  if (typeof argument !== 'string') throw apiError(400, 'argument is JSON within a string');
  return argument === '' ? null : parsed(argument, 'argument');
}

function parsed(text: string, what: string): Value {
  try {
    return fromJson(text);
  } catch {
    throw apiError(400, `${what} is not JSON`);
  }
}

function labelsIn(body: ReadonlyMap<string, Value>): Record<string, string> | undefined {
  const labels = body.get('labels');
  if (labels === undefined) return undefined;
  const entries = isMap(labels) ? [...labels] : [];
  return Object.fromEntries(entries.map(([key, value]) => [key, plainText(value)]));
}
