import { type Deployed, regionOf } from './deployed-functions.ts';
import { APPLY, lastOf, nobodyNames, presence, type ProjectFinding } from './project-finding.ts';
import type { ProjectReader } from './project-reader.ts';

/** A job of Cloud Scheduler as the project has it. */
export interface ScheduledJob {
  name: string;
  state?: string;
  httpTarget?: { uri?: string; oidcToken?: { serviceAccountEmail?: string } };
  /** How the last call went; absent or without a code where it went well. */
  status?: { code?: number };
}

const NAME = 'schedule of sweep';
const SWEEP = /\/internal\/sweep$/;

/** Whether somebody asks each minute for what was lost. */
export async function examineSchedule(
  reader: ProjectReader,
  deployed: readonly Deployed[],
): Promise<ProjectFinding[]> {
  const region = regionOf(deployed);
  if (region === undefined) return [nobodyNames(NAME)];
  const answer = await reader.list<ScheduledJob>(
    {
      api: 'cloudscheduler',
      what: 'scheduled jobs',
      role: 'roles/cloudscheduler.viewer',
      path: `/v1/projects/${reader.project}/locations/${region}/jobs`,
      query: { pageSize: '500' },
    },
    'jobs',
  );
  if (answer.state !== 'ok') return [{ name: NAME, ...answer }];
  const found = answer.value.find(({ httpTarget }) => SWEEP.test(httpTarget?.uri ?? ''));
  return [found === undefined ? presence(NAME, false) : judge(found, reader.project, region)];
}

function judge(
  { name, state = 'ENABLED', status }: ScheduledJob,
  project: string,
  region: string,
): ProjectFinding {
  if (state === 'PAUSED') {
    const resume = `gcloud scheduler jobs resume ${lastOf(name)} --location ${region} --project ${project}`;
    return { name: NAME, state: 'wrong', detail: `it is paused: ${resume}` };
  }
  if (state !== 'ENABLED') return { name: NAME, state: 'wrong', detail: `it is ${state}; ${APPLY}` };
  const { code = 0 } = status ?? {};
  if (code === 0) return presence(NAME, true);
  const detail = `its last call ended with gRPC code ${code}: look at the log of ${lastOf(name)} and of the function sweep`;
  return { name: NAME, state: 'wrong', detail };
}
