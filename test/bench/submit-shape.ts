import { createHttpClient, type HttpClient } from './http-client.ts';
import type { HostProcess } from './host-process.ts';
import { dependenciesEndedAt, openRecords, type Records, type StoredRecords } from './read-records.ts';
import type { BenchTask, Shape } from './shapes.ts';

export interface Timing {
  /** From the client's first request to the end of the last run, by the run's own record. */
  wallMs: number;
  /** Of each task with dependencies: from the end of the last of them to its own start. */
  gapsMs: number[];
}

const POLL_MS = 20;
export const TIMEOUT_MS = 300_000;
export const SUBMITTERS = 100;

/** Settings without which a plan of that size is refused. What a smaller one does not need stays as it is. */
export function limitsFor(shapes: Shape[]): Record<string, string> {
  const plans = shapes.flatMap((shape) => shape.plans);
  const tasks = Math.max(200, ...plans.map((plan) => plan.length));
  const depth = Math.max(20, ...plans.map(depthOf));
  return { PENSTOCK_MAX_PLAN_TASKS: String(tasks), PENSTOCK_MAX_PLAN_DEPTH: String(depth) };
}

/** A task stands behind its dependencies in each plan of ours. */
function depthOf(plan: BenchTask[]): number {
  const depths = new Map<string, number>();
  for (const { id, dependencies } of plan) {
    depths.set(id, 1 + Math.max(0, ...dependencies.map((dependency) => depths.get(dependency) ?? 0)));
  }
  return Math.max(...depths.values());
}

export type SubmitShape = (shape: Shape) => Promise<Timing>;

/** Submits shapes over HTTP, one after the other, and reads from the records how they went. */
export function createSubmitter(host: HostProcess): { submit: SubmitShape; close(): void } {
  const client = createHttpClient(host.url, SUBMITTERS);
  const records = openRecords(host.dataFolder);
  return {
    submit: async (shape) => {
      const { runs, start } = await postShape(client, shape, () => host.readLog());
      await ended(records, runs, shape.name);
      await host.ask('idle');
      return readTiming(records, runs, start);
    },
    close: () => {
      client.close();
      records.close();
    },
  };
}

/** Every plan at once; answers the ids of their runs, and when the first was sent. */
export async function postShape(
  client: HttpClient,
  shape: Shape,
  readLog: () => string,
): Promise<{ runs: string[]; start: number }> {
  const bodies = shape.plans.map(bodyOf);
  const start = Date.now();
  const answers = await Promise.all(bodies.map((body) => client.post('/api/requirements', body)));
  const refused = answers.find(({ status }) => status !== 202);
  if (refused !== undefined)
    throw new Error(`${shape.name} was refused: ${refused.status} ${refused.body}\n${readLog()}`);
  return { runs: answers.map(({ body }) => (JSON.parse(body) as { runId: string }).runId), start };
}

export function bodyOf(plan: BenchTask[]): string {
  return JSON.stringify({ requirement: 'Nothing, quickly.', driver: 'direct', plan: { tasks: plan } });
}

/** Looks into the database file, so that waiting costs the platform nothing. */
async function ended(records: Records, runs: string[], name: string): Promise<void> {
  const deadline = Date.now() + TIMEOUT_MS;
  while (records.countEnded(runs) < runs.length) {
    if (Date.now() > deadline) {
      const stages = records
        .runs()
        .filter(({ id }) => runs.includes(id))
        .map(({ stage }) => stage);
      throw new Error(
        `${name} has not ended after ${TIMEOUT_MS} ms; its runs: ${[...new Set(stages)].join(', ')}`,
      );
    }
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

export function readTiming(records: StoredRecords, runs: string[], start: number): Timing {
  const own = records.runs().filter(({ id }) => runs.includes(id));
  return {
    wallMs: Math.max(...own.map(({ endedAt }) => endedAt ?? Infinity)) - start,
    gapsMs: runs.flatMap((run) => readGaps(records, run)),
  };
}

function readGaps(records: StoredRecords, run: string): number[] {
  const tasks = new Map(records.tasks(run).map((task) => [task.id, task]));
  return [...tasks.values()].flatMap((task) => {
    const startedAt = task.attempts.at(-1)?.startedAt;
    if (startedAt === undefined || task.dependencies.length === 0) return [];
    return [startedAt - dependenciesEndedAt(task, tasks)];
  });
}
