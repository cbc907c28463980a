import { ExecutionsClient, type protos } from '@google-cloud/workflows';
import type { GoogleAuth } from 'google-auth-library';
import type { WorkflowExecution, WorkflowRequest } from '../../ports/workflow-starter.ts';
import { callGoogle } from './google-call.ts';

export interface WorkflowExecutionsConfig {
  /** Such as `https://workflowexecutions.googleapis.com`. */
  baseUrl: string;
  auth: GoogleAuth;
  project: string;
  region: string;
  /** Of one call. @default 30000 */
  timeoutMs?: number;
}

export type ExecutionMessage = protos.google.cloud.workflows.executions.v1.IExecution;

/** The Workflow Executions API: each method is one request. */
export interface WorkflowExecutions {
  create(request: WorkflowRequest, argument: string): Promise<ExecutionMessage>;
  /** A page of them with their arguments, newest first. An empty token: the first, or none behind it. */
  list(workflow: string, token: string): Promise<{ executions: ExecutionMessage[]; nextToken: string }>;
  get(execution: WorkflowExecution): Promise<ExecutionMessage>;
  cancel(execution: WorkflowExecution): Promise<void>;
}

type LibraryAuth = NonNullable<NonNullable<ConstructorParameters<typeof ExecutionsClient>[0]>['auth']>;

const TIMEOUT_MS = 30_000;
const ROLE = 'roles/workflows.invoker';
/** The most that a page with arguments holds. */
const PAGE_SIZE = 100;

/** By the official client over REST, its own retries off: a start is not to be repeated blindly. */
export function createWorkflowExecutions(config: WorkflowExecutionsConfig): WorkflowExecutions {
  const { project, region, timeoutMs = TIMEOUT_MS } = config;
  const connect = connector(config);
  const options = { retry: null, timeout: timeoutMs };
  const nameOf = (workflow: string) => `projects/${project}/locations/${region}/workflows/${workflow}`;
  const fullName = ({ workflow, id }: WorkflowExecution) => `${nameOf(workflow)}/executions/${id}`;

  const call = <T>(
    what: string,
    workflow: string,
    work: (client: ExecutionsClient) => Promise<T>,
  ): Promise<T> => {
    const ifMissing = `deploy workflows/${workflow}.yaml with the Terraform configuration, or set GOOGLE_CLOUD_PROJECT and PENSTOCK_REGION to where it is`;
    return callGoogle({ what, role: ROLE, timeoutMs, ifMissing }, async () => work(await connect()));
  };

  return {
    create: ({ workflow, argument: { run } }, argument) => {
      const parent = nameOf(workflow);
      return call(`start of ${parent} for run ${run}`, workflow, async (client) => {
        const [execution] = await client.createExecution({ parent, execution: { argument } }, options);
        return execution;
      });
    },
    list: (workflow, pageToken) => {
      const request = { parent: nameOf(workflow), pageSize: PAGE_SIZE, pageToken, view: 'FULL' as const };
      return call(`list of the executions of ${request.parent}`, workflow, async (client) => {
        const once = { ...options, autoPaginate: false };
        const [executions, , answer] = await client.listExecutions(request, once);
        return { executions, nextToken: answer?.nextPageToken ?? '' };
      });
    },
    get: (execution) => {
      const name = fullName(execution);
      return call(`state of ${name}`, execution.workflow, async (client) => {
        const [found] = await client.getExecution({ name, view: 'BASIC' }, options);
        return found;
      });
    },
    cancel: (execution) => {
      const name = fullName(execution);
      return call(`cancel of ${name}`, execution.workflow, async (client) => {
        await client.cancelExecution({ name }, options);
      });
    },
  };
}

/**
 * The client once it has its credentials: without them its calls would reject where nobody can catch it. One that got none is
 * made anew by the next call.
 */
function connector(config: WorkflowExecutionsConfig): () => Promise<ExecutionsClient> {
  let client: ExecutionsClient | undefined;
  return async () => {
    client ??= clientOf(config);
    try {
      await client.initialize();
      return client;
    } catch (error) {
      client = undefined;
      throw error;
    }
  };
}

function clientOf({ baseUrl, auth }: WorkflowExecutionsConfig): ExecutionsClient {
  const { protocol, hostname, port } = new URL(baseUrl);
  const scheme = protocol.replace(':', '');
  const at = port === '' ? {} : { port: Number(port) };
  // The library has a copy of google-auth-library of its own, whose types no other copy's can be.
  const own = auth as unknown as LibraryAuth;
  return new ExecutionsClient({ fallback: true, protocol: scheme, apiEndpoint: hostname, auth: own, ...at });
}
