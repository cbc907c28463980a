import { createMessagesGateway } from '../adapters/anthropic/messages-gateway.ts';
import { createPinoLog } from '../adapters/local/pino-log.ts';
import { createSystemClock } from '../adapters/local/system-clock.ts';
import type { Ports } from '../core/ports.ts';
import type { Blobs } from '../ports/blobs.ts';
import type { JobStarter } from '../ports/job-starter.ts';
import type { Workflows } from '../ports/workflow-callbacks.ts';
import type { Log } from '../ports/log.ts';
import { PenstockError } from '../ports/penstock-error.ts';
import type { Queue } from '../ports/queue.ts';
import { composePorts, policyOf, webhookSecretsOf } from './compose-ports.ts';
import type { Runtime } from './functions.ts';
import { githubHost } from './github-host.ts';
import type { GoogleConfig } from './google-config.ts';
import { launchByWorkflow } from './launch-by-workflow.ts';
import { lazily } from './lazily.ts';
import { modelAccess, openModel } from './model-access.ts';
import { openIdentity } from './open-identity.ts';
import { openSecrets } from './open-secrets.ts';
import { openTrace } from './open-trace.ts';
import { requireCredentials } from './require-credentials.ts';
import { requireEmulators } from './require-emulators.ts';
import { resolveSecrets } from './resolve-secrets.ts';

/** 003-99 to 003-101; a tenant's settings may set others. */
const POOLS = {
  core: { min: 1, max: 3 },
  specialist: { min: 2, max: 10 },
  assessment: { min: 1, max: 5 },
};

/** A function's adapters in the cloud: Firestore, Pub/Sub, Cloud Storage, Cloud Run jobs. Each library is read with its first use. */
export async function createGoogleRuntime(given: GoogleConfig): Promise<Runtime> {
  await requireEmulators(given);
  await requireCredentials(given);
  const clock = createSystemClock();
  const secrets = openSecrets(given, clock);
  const current = () => resolveSecrets(given, secrets);
  const config = await current();
  const trace = await openTrace(config, { service: 'penstock', log: () => log });
  const log = createPinoLog({ level: config.LOG_LEVEL, trace, project: config.GOOGLE_CLOUD_PROJECT });
  if (
    given.GITHUB_WEBHOOK_SECRET_PREVIOUS !== undefined &&
    config.GITHUB_WEBHOOK_SECRET_PREVIOUS === undefined
  )
    log.warn(
      'GITHUB_WEBHOOK_SECRET_PREVIOUS names no version that can be read; only GITHUB_WEBHOOK_SECRET holds',
    );
  const access = modelAccess(config, current);
  const github = githubHost(config, log, current);
  const { openStore } = await import('./google-store.ts');
  const store = openStore(config, log);
  const queue = openQueue(config, log);
  const workflows = openWorkflows(config, { clock, log });
  const ports = await composePorts({
    store,
    queue,
    blobs: openBlobs(config),
    clock,
    log,
    trace,
    model: openModel(access, log),
    jobs: openJobs(config, workflows, { clock, log }),
    workflows,
    codeHost: ({ host }) => {
      if (host === 'github') return github();
      throw new PenstockError('invalid', 'a repository is owner/name here; paths are for local mode');
    },
    policy: policyOf(config, {
      pools: POOLS,
      localRepositories: false,
      publicUrl: config.PENSTOCK_PUBLIC_URL,
      drivers: config.PENSTOCK_DRIVERS,
    }),
  });
  return {
    ports,
    identity: openIdentity(config, ports, current),
    gateway: createMessagesGateway(access),
    webhookSecrets: async () => webhookSecretsOf(await current()),
    close: async () => {
      await queue.close();
      await store.close();
      await trace.close();
    },
  };
}

/** Closing what was never opened opens nothing. */
function openQueue(config: GoogleConfig, log: Log): Queue {
  let opened: Queue | undefined;
  const load = async (): Promise<Queue> => {
    const google = await import('./google-queue.ts');
    opened = google.openQueue(config, log);
    return opened;
  };
  return { ...lazily(load, ['publish']), close: () => opened?.close() ?? Promise.resolve() };
}

function openBlobs(config: GoogleConfig): Blobs {
  const load = async (): Promise<Blobs> => {
    const { createStorageClient } = await import('../adapters/google/storage-client.ts');
    const { createStorageBlobs } = await import('../adapters/google/storage-blobs.ts');
    const storage = createStorageClient({ projectId: config.GOOGLE_CLOUD_PROJECT });
    return createStorageBlobs({ storage, bucket: config.PENSTOCK_BUCKET });
  };
  return lazily(load, ['put', 'get', 'list', 'delete', 'signUrl']);
}

function openJobs(
  config: GoogleConfig,
  workflows: Workflows,
  ports: Pick<Ports, 'clock' | 'log'>,
): JobStarter {
  const workflow = config.PENSTOCK_JOB_WORKFLOW;
  const load = async (): Promise<JobStarter> => {
    const { createGoogleCredentials } = await import('../adapters/google/google-credentials.ts');
    const { createCloudRunJobStarter } = await import('../adapters/google/cloud-run-job-starter.ts');
    return createCloudRunJobStarter({
      ...ports,
      baseUrl: config.PENSTOCK_RUN_URL,
      auth: createGoogleCredentials(config.PENSTOCK_RUN_URL),
      project: config.GOOGLE_CLOUD_PROJECT,
      region: config.PENSTOCK_REGION,
      jobs: { standard: config.PENSTOCK_JOB, high: config.PENSTOCK_JOB_HIGH },
      maxJobs: config.PENSTOCK_MAX_JOBS,
      ...(workflow === undefined ? {} : { launch: launchByWorkflow(workflows, workflow) }),
    });
  };
  return lazily(load, ['start', 'cancel', 'state']);
}

function openWorkflows(config: GoogleConfig, ports: Pick<Ports, 'clock' | 'log'>): Workflows {
  const load = async (): Promise<Workflows> => {
    const { createGoogleCredentials } = await import('../adapters/google/google-credentials.ts');
    const { createWorkflowsStarter } = await import('../adapters/google/workflows-starter.ts');
    const { createWorkflowCallbacks } = await import('../adapters/google/workflow-callbacks.ts');
    const place = {
      baseUrl: config.PENSTOCK_WORKFLOWS_URL,
      auth: createGoogleCredentials(config.PENSTOCK_WORKFLOWS_URL),
      project: config.GOOGLE_CLOUD_PROJECT,
      region: config.PENSTOCK_REGION,
    };
    return { ...createWorkflowsStarter({ ...place, ...ports }), ...createWorkflowCallbacks(place) };
  };
  return lazily(load, ['start', 'cancel', 'state', 'wake']);
}
