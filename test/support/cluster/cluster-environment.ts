import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Emulators } from '../emulators.ts';
import { jobIn } from '../built-programs.ts';
import { LEASH } from './function-process.ts';
import type { StandInOptions, StandIns } from './stand-ins.ts';
import type { ClusterOptions } from './start-cluster.ts';
import type { WorkflowService } from './workflow-service.ts';

/** Names that Terraform gives. */
export const PLACE = {
  region: 'europe-west1',
  bucket: 'penstock',
  jobs: { standard: 'agent-job', high: 'agent-job-high' },
};
const root = fileURLToPath(new URL('../../..', import.meta.url));

/** What a program of ours needs of this machine. */
function machineEnvironment(): Record<string, string> {
  return {
    PATH: [dirname(process.execPath), process.env['PATH'] ?? ''].join(':'),
    // Reading TypeScript and compiling it is half of what a start costs; this keeps the result.
    NODE_COMPILE_CACHE: join(root, 'node_modules/.cache/penstock'),
    METADATA_SERVER_DETECTION: 'none',
  };
}

interface Underneath {
  emulators: Emulators;
  standIns: StandIns;
  workflows: WorkflowService;
  project: string;
  url: string;
}

/** What Terraform writes into each function, and what points its clients to this machine. */
export function environmentOf(
  { env }: ClusterOptions,
  { emulators, standIns, workflows, project, url }: Underneath,
): Record<string, string> {
  return {
    ...machineEnvironment(),
    GOOGLE_CLOUD_PROJECT: project,
    FIRESTORE_EMULATOR_HOST: emulators.firestoreHost,
    PUBSUB_EMULATOR_HOST: emulators.pubsubHost,
    ...standIns.environment,
    ...workflows.environment,
    PENSTOCK_REGION: PLACE.region,
    PENSTOCK_BUCKET: PLACE.bucket,
    PENSTOCK_JOB: PLACE.jobs.standard,
    PENSTOCK_JOB_HIGH: PLACE.jobs.high,
    PENSTOCK_PUBLIC_URL: url,
    PENSTOCK_IDENTITY: 'local',
    // As on one machine.
    PENSTOCK_MAX_JOBS: '4',
    ...env,
  };
}

/** What Terraform writes into the Cloud Run jobs. */
export function jobOf(
  { built, jobProgram, env = {} }: ClusterOptions,
  folder: string,
  url: string,
): Pick<StandInOptions, 'command' | 'jobEnvironment'> {
  const ownProgram = built === undefined ? join(root, 'functions/agent-job/main.ts') : jobIn(built);
  const program = jobProgram ?? ownProgram;
  const confinement = Object.entries(env).filter(([name]) => /^PENSTOCK_(UNSAFE_NO_)?SANDBOX$/.test(name));
  return {
    command: [process.execPath, '--disable-warning=ExperimentalWarning', `--import=${LEASH}`, program],
    jobEnvironment: {
      ...machineEnvironment(),
      PENSTOCK_ATTEMPTS_URL: url,
      PENSTOCK_DATA: folder,
      ...Object.fromEntries(confinement),
    },
  };
}
