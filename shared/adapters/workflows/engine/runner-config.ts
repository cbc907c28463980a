import { randomUUID } from 'node:crypto';
import type { Workflow } from '../syntax/ast.ts';
import type { RunnerClock } from './clock.ts';
import type { Connector } from './connector.ts';
import type { Journal } from './journal.ts';
import type { LogLine, RunnerAuth, Services } from './services.ts';
import type { StepEvent } from './step-log.ts';
import { createTimerWheel } from './timer-wheel.ts';

export interface RunnerConfig {
  /** @default the machine's own time */
  clock?: RunnerClock;
  /** How `http.*` and connectors ask. @default the global one */
  fetch?: typeof fetch;
  /** Ids of executions and callbacks. @default random ones */
  newId?: () => string;
  /** Shuffles the branches of parallel steps, the same way each time. @default they begin in their order */
  seed?: number;
  /** What `sys.get_env` answers besides the service's own names. */
  env?: Readonly<Record<string, string>>;
  /** @default 'local' */
  project?: string;
  /** @default 'local' */
  location?: string;
  /** Where callbacks are sent to, without a path; a function where it is known later. @default the service's own host */
  callbackBaseUrl?: string | (() => string);
  /** Tokens for `auth`. Without it, calls with `auth` raise an AuthError. */
  auth?: RunnerAuth;
  connectors?: Iterable<Connector>;
  /** @default in memory */
  journal?: Journal;
  log?: (line: LogLine) => void;
  /** Sees each step begin and end. */
  onStep?: (event: StepEvent) => void;
  /** What went wrong that is no error of a workflow, such as a full disk. */
  onFault?: (error: unknown, execution: string) => void;
}

const SERVICE = 'https://workflowexecutions.googleapis.com';

/** What executions have of the world outside, with the defaults. */
export function servicesOf(
  config: RunnerConfig,
  { project, location }: { project: string; location: string },
): Services {
  const { callbackBaseUrl = SERVICE, auth, onStep } = config;
  return {
    clock: config.clock ?? createTimerWheel(),
    fetch: config.fetch ?? fetch,
    newId: config.newId ?? randomUUID,
    connectors: new Map([...(config.connectors ?? [])].map((connector) => [connector.name, connector])),
    log: config.log ?? (() => undefined),
    callbackUrl: (workflow, execution, callback) => {
      const base = typeof callbackBaseUrl === 'string' ? callbackBaseUrl : callbackBaseUrl();
      const parent = `projects/${project}/locations/${location}/workflows/${workflow}`;
      return `${base}/v1/${parent}/executions/${execution}/callbacks/${callback}`;
    },
    ...(auth === undefined ? {} : { auth }),
    ...(onStep === undefined ? {} : { onStep }),
  };
}

interface Surroundings {
  id: string;
  workflow: Workflow;
  project: string;
  location: string;
  env: Readonly<Record<string, string>> | undefined;
}

/** The service's own variables go before the user's, which may not have such names. */
export function environmentOf({
  id,
  workflow,
  project,
  location,
  env = {},
}: Surroundings): ReadonlyMap<string, string> {
  return new Map([
    ...Object.entries(env),
    ['GOOGLE_CLOUD_PROJECT_ID', project],
    ['GOOGLE_CLOUD_PROJECT_NUMBER', '0'],
    ['GOOGLE_CLOUD_LOCATION', location],
    ['GOOGLE_CLOUD_WORKFLOW_ID', workflow.name],
    ['GOOGLE_CLOUD_WORKFLOW_EXECUTION_ID', id],
    ['GOOGLE_CLOUD_WORKFLOW_REVISION_ID', '000001-000'],
    ['GOOGLE_CLOUD_SERVICE_ACCOUNT_NAME', `workflow@${project}.iam.gserviceaccount.com`],
  ]);
}
