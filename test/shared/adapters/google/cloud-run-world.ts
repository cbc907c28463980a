import {
  createCloudRunJobStarter,
  type CloudRunJobStarterConfig,
} from '../../../../shared/adapters/google/cloud-run-job-starter.ts';
import { createGoogleCredentials } from '../../../../shared/adapters/google/google-credentials.ts';
import { createPinoLog } from '../../../../shared/adapters/local/pino-log.ts';
import type { JobStarter } from '../../../../shared/ports/job-starter.ts';
import { createHandClock, type HandClock, silent } from '../../../support/engine.ts';
import type { ReceivedCall } from '../../../support/google/google-server.ts';
import type { EnvVar, RunExecution } from '../../../support/google/run-execution.ts';
import {
  type RunStandIn,
  type RunStandInOptions,
  startRunStandIn,
} from '../../../support/google/run-stand-in.ts';

type StarterOptions = Partial<CloudRunJobStarterConfig>;

const PLACE = 'projects/acme/locations/europe-west1';
const JOBS = { standard: 'agent-job', high: 'agent-job-high' };
/** Full names of the jobs of both tiers. */
export const JOB_NAMES = { standard: `${PLACE}/jobs/agent-job`, high: `${PLACE}/jobs/agent-job-high` };

/** Cloud Run that only keeps records, on a clock that only the test moves. */
export interface CloudRunWorld {
  clock: HandClock;
  standIn: RunStandIn;
  /** A starter as in a process of its own. */
  starter(options?: StarterOptions): JobStarter;
  calls(operation: string): ReceivedCall[];
  running(): RunExecution[];
  /** What each execution was started with, newest first. */
  environments(): EnvVar[][];
  /** Log lines of all starters. */
  lines: string[];
}

export function starterAt(
  url: string,
  options: StarterOptions & Pick<CloudRunJobStarterConfig, 'clock'>,
): JobStarter {
  return createCloudRunJobStarter({
    baseUrl: url,
    auth: createGoogleCredentials(url),
    project: 'acme',
    region: 'europe-west1',
    jobs: JOBS,
    maxJobs: 4,
    log: silent,
    ...options,
  });
}

export async function startCloudRunWorld(options: Partial<RunStandInOptions> = {}): Promise<CloudRunWorld> {
  const clock = createHandClock();
  const lines: string[] = [];
  const log = createPinoLog({
    level: 'DEBUG',
    destination: { write: (line: string) => void lines.push(line) },
  });
  const standIn = await startRunStandIn({
    jobs: Object.values(JOB_NAMES),
    now: () => clock.now(),
    ...options,
  });
  return {
    clock,
    standIn,
    lines,
    starter: (more) => starterAt(standIn.url, { clock, log, ...more }),
    calls: (operation) => standIn.calls.filter((call) => call.operation === operation),
    running: () => standIn.executions().filter(({ completionTime }) => completionTime === undefined),
    environments: () =>
      standIn.executions().map(({ template }) => template.containers.flatMap(({ env }) => env)),
  };
}
