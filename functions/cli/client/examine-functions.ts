import { DEFAULT_ROUTE, ROUTES } from '../../../shared/runtime/routes.ts';
import { SUBSCRIPTIONS } from '../../../shared/runtime/subscriptions.ts';
import { type Deployed, regionOf, secretsOf, valuesOf } from './deployed-functions.ts';
import { APPLY, lastOf, nobodyNames, presence, type ProjectFinding } from './project-finding.ts';
import type { ProjectReader } from './project-reader.ts';

/** Every function, by its name in the project. */
export const REQUIRED_FUNCTIONS = [
  ...new Set([DEFAULT_ROUTE, ...[...ROUTES, ...SUBSCRIPTIONS].map((one) => one.function)]),
].toSorted();

/** The functions, and the jobs, buckets and secrets that they name. */
export async function examineFunctions(
  reader: ProjectReader,
  ours: readonly Deployed[],
): Promise<ProjectFinding[]> {
  const parts = await Promise.all([jobs(reader, ours), buckets(reader, ours), secrets(reader, ours)]);
  return [...REQUIRED_FUNCTIONS.map((name) => judge(name, ours)), ...parts.flat()];
}

function judge(wanted: string, deployed: readonly Deployed[]): ProjectFinding {
  const name = `function ${wanted}`;
  const found = deployed.find((one) => lastOf(one.name) === wanted);
  if (found === undefined) return presence(name, false);
  const { state, stateMessages = [] } = found;
  if (state === 'ACTIVE') return { name, state: 'ok', detail: 'active' };
  const said = stateMessages.map(({ message = '' }) => `: ${message}`).join('');
  return { name, state: 'wrong', detail: `it is ${state}${said}; ${APPLY}` };
}

async function jobs(reader: ProjectReader, deployed: readonly Deployed[]): Promise<ProjectFinding[]> {
  const named = ['PENSTOCK_JOB', 'PENSTOCK_JOB_HIGH'].flatMap((variable) => valuesOf(deployed, variable));
  const region = regionOf(deployed);
  if (named.length === 0 || region === undefined) return [nobodyNames('jobs')];
  return Promise.all(
    named.map(async (job): Promise<ProjectFinding> => {
      const answer = await reader.get<{ terminalCondition?: { state?: string; message?: string } }>({
        api: 'run',
        what: `job ${job}`,
        role: 'roles/run.viewer',
        path: `/v2/projects/${reader.project}/locations/${region}/jobs/${job}`,
      });
      const name = `job ${job}`;
      if (answer.state !== 'ok') return { name, ...answer };
      const { state, message = 'it cannot run' } = answer.value.terminalCondition ?? {};
      return state === 'CONDITION_FAILED'
        ? { name, state: 'wrong', detail: `${message}; ${APPLY}` }
        : presence(name, true);
    }),
  );
}

async function buckets(reader: ProjectReader, deployed: readonly Deployed[]): Promise<ProjectFinding[]> {
  const named = valuesOf(deployed, 'PENSTOCK_BUCKET');
  if (named.length === 0) return [nobodyNames('bucket')];
  return Promise.all(
    named.map(async (bucket): Promise<ProjectFinding> => {
      const answer = await reader.get({
        api: 'storage',
        what: `bucket ${bucket}`,
        role: 'roles/storage.bucketViewer',
        path: `/storage/v1/b/${encodeURIComponent(bucket)}`,
      });
      const name = `bucket ${bucket}`;
      return answer.state === 'ok' ? presence(name, true) : { name, ...answer };
    }),
  );
}

/** Versions that functions mount; each has to be readable, or no instance starts. A system without a GitHub App mounts none of its. */
async function secrets(reader: ProjectReader, deployed: readonly Deployed[]): Promise<ProjectFinding[]> {
  const mounted = deployed.flatMap((one) => secretsOf(one, reader.project));
  return Promise.all(
    [...new Set(mounted)].toSorted().map(async (path): Promise<ProjectFinding> => {
      const [, , , secret = '', , version = ''] = path.split('/');
      const name = `secret ${secret}/${version}`;
      const answer = await reader.get<{ state?: string }>({
        api: 'secretmanager',
        what: name,
        role: 'roles/secretmanager.viewer',
        path: `/v1/${path}`,
      });
      if (answer.state !== 'ok') return { name, ...answer };
      const { state } = answer.value;
      return state === 'ENABLED'
        ? { name, state: 'ok', detail: 'enabled' }
        : { name, state: 'wrong', detail: `it is ${state}: raise its number in secret_versions, and apply` };
    }),
  );
}
