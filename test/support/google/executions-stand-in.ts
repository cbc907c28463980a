import { randomUUID } from 'node:crypto';
import { GoogleApiError, type GoogleServer, type OperationCall, startGoogleServer } from './google-server.ts';
import { type CreateBody, executionOperations } from './execution-operations.ts';
import { pageOf } from './page-of.ts';
import { ENDED, type Execution, moved, seen } from './workflow-execution.ts';

export interface ExecutionsStandInOptions {
  /** @default any free one */
  port?: number;
  /** Full names of the workflows that exist, `projects/P/locations/R/workflows/W`. */
  workflows: string[];
  /** The most that a page holds, whatever is asked for. @default 100 with arguments, 1000 without */
  maxPageSize?: number;
  /** @default Date.now */
  now?: () => number;
}

export interface ExecutionsStandIn extends GoogleServer {
  /** Newest first. */
  executions(): Execution[];
  /** Moves an execution on. */
  become(name: string, state: Execution['state']): void;
  /** Executions that are created from now on stay out of so many answers to a list. */
  lagLists(calls: number): void;
}

interface Kept {
  execution: Execution;
  hidden: number;
}

const MAX_ARGUMENT_BYTES = 32 * 1024;
const MAX_PAGE_SIZES: Record<string, number> = { FULL: 100, BASIC: 1_000, EXECUTION_VIEW_UNSPECIFIED: 1_000 };
/** The Workflow Executions API v1. It keeps executions and runs nothing. */
export async function startExecutionsStandIn(options: ExecutionsStandInOptions): Promise<ExecutionsStandIn> {
  const { now = Date.now } = options;
  const kept = new Map<string, Kept>();
  let lag = 0;
  const at = () => new Date(now()).toISOString();
  const newest = () => [...kept.values()].toReversed();

  function find(name = ''): Kept {
    const one = kept.get(name);
    if (one === undefined) throw new GoogleApiError(404, `Execution '${name}' not found.`);
    return one;
  }

  function become(name: string, state: Execution['state']): Execution {
    const one = find(name);
    one.execution = moved(one.execution, state, at());
    return one.execution;
  }

  function create({ parameters, body }: OperationCall<CreateBody>): object {
    const workflow = requireWorkflow(options, parameters['workflow']);
    const { argument = 'null', callLogLevel, labels } = body;
    checkArgument(argument);
    const execution: Execution = {
      name: `${workflow}/executions/${randomUUID()}`,
      createTime: at(),
      startTime: at(),
      state: 'ACTIVE',
      argument,
      workflowRevisionId: '000001-a1b',
      ...(callLogLevel === undefined ? {} : { callLogLevel }),
      ...(labels === undefined ? {} : { labels }),
    };
    kept.set(execution.name, { execution, hidden: lag });
    return execution;
  }

  function list({ parameters, query }: OperationCall): object {
    const workflow = requireWorkflow(options, parameters['workflow']);
    const { view = 'BASIC', filter = '', orderBy = '', ...paging } = query;
    const most = MAX_PAGE_SIZES[view];
    if (most === undefined) throw new GoogleApiError(400, `Invalid value at 'view': "${view}"`);
    if (filter !== '' || orderBy !== '')
      throw new GoogleApiError(400, 'the stand-in neither filters nor orders');
    const all = newest().filter(
      ({ execution, hidden }) => hidden <= 0 && execution.name.startsWith(`${workflow}/`),
    );
    for (const one of kept.values()) one.hidden -= 1;
    const { items, nextPageToken } = pageOf(all, paging, options.maxPageSize ?? most);
    return { executions: items.map(({ execution }) => seen(execution, view)), nextPageToken };
  }

  function cancel({ parameters }: OperationCall): object {
    const { name, state } = find(parameters['name']).execution;
    if (ENDED.includes(state)) {
      throw new GoogleApiError(
        400,
        `Execution '${name}' is in the final state ${state}.`,
        'FAILED_PRECONDITION',
      );
    }
    return become(name, 'CANCELLED');
  }

  const get = ({ parameters, query: { view = 'FULL' } }: OperationCall) =>
    seen(find(parameters['name']).execution, view);
  const server = await startGoogleServer(
    executionOperations({ create, list, get, cancel }),
    options.port === undefined ? {} : { port: options.port },
  );
  return {
    ...server,
    executions: () => newest().map(({ execution }) => execution),
    become: (name, state) => void become(name, state),
    lagLists: (calls) => void (lag = calls),
  };
}

function requireWorkflow({ workflows }: ExecutionsStandInOptions, workflow = ''): string {
  if (!workflows.includes(workflow)) throw new GoogleApiError(404, `Workflow '${workflow}' not found.`);
  return workflow;
}

function checkArgument(argument: string): void {
  if (Buffer.byteLength(argument) > MAX_ARGUMENT_BYTES) {
    throw new GoogleApiError(400, `The argument is larger than ${MAX_ARGUMENT_BYTES} bytes.`);
  }
  try {
    JSON.parse(argument);
  } catch {
    throw new GoogleApiError(400, 'The argument is not valid JSON.');
  }
}
