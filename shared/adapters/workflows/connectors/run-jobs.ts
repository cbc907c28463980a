import { responseTypeError, typeError, valueError } from '../errors.ts';
import type { Connector, Progress } from '../engine/connector.ts';
import { plainText } from '../plain-text.ts';
import { isMap, typeName, type Value, type ValueMap } from '../values.ts';

export interface RunJobsConfig {
  /** Where Cloud Run answers instead of its own hosts, such as a stand-in. */
  baseUrl?: string;
}

/** The connectors that start a Cloud Run job and wait for its end. */
export function runJobsConnectors({ baseUrl }: RunJobsConfig = {}): Connector[] {
  return [
    runJobV2(baseUrl ?? 'https://run.googleapis.com'),
    runJobV1((location) => baseUrl ?? `https://${location === '' ? '' : `${location}-`}run.googleapis.com`),
  ];
}

/** https://cloud.google.com/workflows/docs/reference/googleapis/run/v2/projects.locations.jobs/run */
function runJobV2(baseUrl: string): Connector {
  return {
    name: 'googleapis.run.v2.projects.locations.jobs.run',
    parameters: [{ name: 'name' }, { name: 'body', default: null }],
    start: (args, { request }) =>
      request({ method: 'POST', url: `${baseUrl}/v2/${jobOf(args, JOB_V2)}:run`, body: bodyOf(args) }),
    follow: {
      progress: operationProgress,
      poll: (operation, _args, { request }) =>
        request({ method: 'GET', url: `${baseUrl}/v2/${textIn(operation, 'name')}` }),
    },
  };
}

const JOB_V2 = /^projects\/[^/]+\/locations\/[^/]+\/jobs\/[^/]+$/;
const JOB_V1 = /^namespaces\/[^/]+\/jobs\/[^/]+$/;
const API_V1 = 'apis/run.googleapis.com/v1';

/** https://cloud.google.com/workflows/docs/reference/googleapis/run/v1/namespaces.jobs/run; it follows the execution itself. */
function runJobV1(baseUrl: (location: string) => string): Connector {
  const urlOf = (args: ValueMap): string => `${baseUrl(plainText(args.get('location') ?? ''))}/${API_V1}`;
  return {
    name: 'googleapis.run.v1.namespaces.jobs.run',
    parameters: [{ name: 'name' }, { name: 'location', default: null }, { name: 'body', default: null }],
    start: (args, { request }) =>
      request({ method: 'POST', url: `${urlOf(args)}/${jobOf(args, JOB_V1)}:run`, body: bodyOf(args) }),
    follow: {
      progress: executionProgress,
      poll: (execution, args, { request }) => {
        const metadata = isMap(execution) ? (execution.get('metadata') ?? null) : null;
        const name = `namespaces/${textIn(metadata, 'namespace')}/executions/${textIn(metadata, 'name')}`;
        return request({ method: 'GET', url: `${urlOf(args)}/${name}` });
      },
    },
  };
}

function jobOf(args: ValueMap, form: RegExp): string {
  const name = args.get('name') ?? null;
  if (typeof name !== 'string') throw typeError(`jobs.run takes a string as name, got ${typeName(name)}`);
  if (!form.test(name)) throw valueError(`jobs.run takes the full name of a job, got '${name}'`);
  return name;
}

/** The service wants a body, however empty. */
function bodyOf(args: ValueMap): Value {
  return args.get('body') ?? new Map<string, Value>();
}

function textIn(value: Value, key: string): string {
  const text = isMap(value) ? value.get(key) : undefined;
  if (typeof text === 'string') return text;
  throw responseTypeError(`jobs.run answered without a ${key}`);
}

function operationProgress(operation: Value): Progress {
  if (!isMap(operation)) throw responseTypeError(`an operation is a map, got ${typeName(operation)}`);
  textIn(operation, 'name');
  if (operation.get('done') !== true) return { state: 'running' };
  const error = operation.get('error') ?? null;
  return error === null
    ? { state: 'done', result: operation.get('response') ?? null }
    : { state: 'failed', error };
}

function executionProgress(execution: Value): Progress {
  if (!isMap(execution)) throw responseTypeError(`an execution is a map, got ${typeName(execution)}`);
  const status = execution.get('status') ?? null;
  const conditions = isMap(status) ? status.get('conditions') : undefined;
  const completed = (Array.isArray(conditions) ? conditions : [])
    .filter(isMap)
    .find((condition) => condition.get('type') === 'Completed');
  if (completed?.get('status') === 'True') return { state: 'done', result: execution };
  return completed?.get('status') === 'False' ? { state: 'failed', error: completed } : { state: 'running' };
}
