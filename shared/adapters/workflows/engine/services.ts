import type { Connector } from './connector.ts';
import type { RunnerClock } from './clock.ts';
import type { StepEvent } from './step-log.ts';
import type { Value } from '../values.ts';

/** Who a workflow is to the services it calls. */
export interface RunnerAuth {
  /** An identity token for that audience. */
  oidc(audience: string): Promise<string>;
  /** An access token with those scopes. */
  oauth2(scopes: readonly string[]): Promise<string>;
}

/** What a workflow logged by `sys.log`. */
export interface LogLine {
  readonly workflow: string;
  readonly execution: string;
  /** `DEFAULT`, `DEBUG`, `INFO`, `NOTICE`, `WARNING`, `ERROR`, `CRITICAL`, `ALERT` or `EMERGENCY`. */
  readonly severity: string;
  readonly data: Value;
}

/** What executions have of the world outside. */
export interface Services {
  readonly clock: RunnerClock;
  readonly fetch: typeof fetch;
  readonly newId: () => string;
  readonly auth?: RunnerAuth;
  readonly connectors: ReadonlyMap<string, Connector>;
  readonly log: (line: LogLine) => void;
  readonly onStep?: (event: StepEvent) => void;
  readonly callbackUrl: (workflow: string, execution: string, callback: string) => string;
}
