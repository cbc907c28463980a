import type { Clock } from '../../ports/clock.ts';
import type { GoogleRest } from './google-rest.ts';
import { isAnswerLost } from './lost-answer.ts';

/** An execution of a Cloud Run job, as far as anybody here asks. */
export interface JobExecution {
  /** `projects/…/executions/…`. */
  name: string;
  createdAt: number;
  isEnded: boolean;
  /** Of one that has ended: what Google says of its end. */
  end?: string | undefined;
  /** Values of the variables that it was started with. */
  environment: Record<string, string | undefined>;
  /** Somebody else starts it: until Google lists it, this stands for it, and its name is not Google's. */
  isAwaited?: true;
}

/** As the API has it (https://cloud.google.com/run/docs/reference/rest/v2/projects.locations.jobs.executions). */
export interface ExecutionResource {
  name: string;
  createTime?: string;
  completionTime?: string;
  conditions?: { type?: string; message?: string }[];
  template?: { containers?: { env?: { name: string; value?: string }[] }[] };
}

interface ExecutionsPage {
  executions?: ExecutionResource[];
  nextPageToken?: string;
}

export interface ExecutionListConfig {
  rest: GoogleRest;
  clock: Clock;
  timeoutMs: number;
}

/** A Cloud Run job by its full name, and the variable that says which one it is. */
export interface RunJob {
  name: string;
  variable: string;
}

const PAGE_SIZE = 100;
/** Google keeps the last 1,000 of a job. */
const MAX_PAGES = 10;
/** What is sent again at once when it fails: a list has no effect. */
const MAX_TRIES = 3;

/** Executions of a job that were created since then, newest first. */
export async function listExecutions(
  config: ExecutionListConfig,
  job: RunJob,
  since: number,
): Promise<JobExecution[]> {
  const found: JobExecution[] = [];
  let pageToken: string | undefined;
  for (let page = 0; page < MAX_PAGES; page += 1) {
    const { executions = [], nextPageToken = '' } = await readPage(config, job, pageToken);
    const all = executions.map((one) => readExecution(one, config.clock.now()));
    found.push(...all.filter(({ createdAt }) => createdAt >= since));
    // The list is sorted by creation: behind an older one are only older ones.
    if (nextPageToken === '' || all.some(({ createdAt }) => createdAt < since)) break;
    pageToken = nextPageToken;
  }
  return found;
}

async function readPage(
  { rest, timeoutMs }: ExecutionListConfig,
  { name, variable }: RunJob,
  pageToken: string | undefined,
): Promise<ExecutionsPage> {
  const call = {
    what: `list of the executions of ${name}`,
    role: `roles/run.developer on that job (or a custom role with run.executions.list)`,
    ifMissing: missingJob(variable),
    timeoutMs,
  };
  const query = { pageSize: String(PAGE_SIZE), ...(pageToken === undefined ? {} : { pageToken }) };
  for (let tries = 1; ; tries += 1) {
    try {
      return await rest<ExecutionsPage>(call, { method: 'GET', path: `/v2/${name}/executions`, query });
    } catch (error) {
      if (tries === MAX_TRIES || !isAnswerLost(error)) throw error;
    }
  }
}

export function missingJob(variable: string): string {
  return `set ${variable} to the name of a Cloud Run job that is in the project of GOOGLE_CLOUD_PROJECT and the region of PENSTOCK_REGION, or apply the Terraform configuration`;
}

/** One without a time of creation is only just there. */
export function readExecution(
  { name, createTime, completionTime, conditions = [], template }: ExecutionResource,
  now: number,
): JobExecution {
  const env = template?.containers?.flatMap((container) => container.env ?? []) ?? [];
  return {
    name,
    createdAt: createTime === undefined ? now : Date.parse(createTime),
    isEnded: completionTime !== undefined,
    ...(completionTime === undefined
      ? {}
      : { end: conditions.find(({ type }) => type === 'Completed')?.message }),
    environment: Object.fromEntries(env.map((one) => [one.name, one.value])),
  };
}
