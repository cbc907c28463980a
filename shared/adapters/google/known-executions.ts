import {
  type ExecutionListConfig,
  type JobExecution,
  listExecutions,
  type RunJob,
} from './cloud-run-executions.ts';

export interface KnownExecutionsConfig extends ExecutionListConfig {
  jobs: RunJob[];
  /** How old the list may be that `recent` answers. */
  cacheMs: number;
}

/** The executions of several jobs of which any may still run, those included that this process has only just started. */
export interface KnownExecutions {
  /** At most `cacheMs` old. */
  recent(): Promise<JobExecution[]>;
  fresh(): Promise<JobExecution[]>;
  add(execution: JobExecution): void;
}

/** An agent's limit is a day at most, and a job is given a little more to wrap up. */
const LONGEST_MS = 25 * 3_600_000;
/** The list may lag by this much behind what was started. */
const LAG_MS = 60_000;

export function createKnownExecutions(config: KnownExecutionsConfig): KnownExecutions {
  const { clock, cacheMs } = config;
  const own = new Map<string, JobExecution>();
  let listing: { at: number; result: Promise<JobExecution[]> } | undefined;

  const list = (at: number): Promise<JobExecution[]> => {
    const result = listAll(config, at - LONGEST_MS);
    listing = { at, result };
    // What failed is not remembered.
    result.catch(() => {
      if (listing?.result === result) listing = undefined;
    });
    return result;
  };

  /** What Google says of an execution counts; what it does not show yet is as it was started. */
  const withOwn = (listed: JobExecution[]): JobExecution[] => {
    const names = new Set(listed.map(({ name }) => name));
    const attempts = new Set(listed.map(({ environment }) => environment['PENSTOCK_ATTEMPT']));
    const isListed = ({ name, isAwaited, environment }: JobExecution): boolean =>
      isAwaited === true ? attempts.has(environment['PENSTOCK_ATTEMPT']) : names.has(name);
    for (const { name, createdAt } of own.values()) {
      if (createdAt < clock.now() - LAG_MS) own.delete(name);
    }
    return [...[...own.values()].filter((one) => !isListed(one)), ...listed];
  };

  return {
    recent: async () => {
      const now = clock.now();
      const isFresh = listing !== undefined && now - listing.at <= cacheMs;
      return withOwn(await (isFresh && listing !== undefined ? listing.result : list(now)));
    },
    fresh: async () => withOwn(await list(clock.now())),
    add: (execution) => void own.set(execution.name, execution),
  };
}

async function listAll(config: KnownExecutionsConfig, since: number): Promise<JobExecution[]> {
  return (await Promise.all(config.jobs.map((job) => listExecutions(config, job, since)))).flat();
}
