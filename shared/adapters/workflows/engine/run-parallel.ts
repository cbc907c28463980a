import {
  parallelNestingError,
  Raised,
  resourceLimitError,
  typeError,
  unhandledBranchError,
} from '../errors.ts';
import type { Scoped, StepBody } from '../syntax/ast.ts';
import { typeName, type Value } from '../values.ts';
import { valueOf } from './evaluate.ts';
import type { Fiber } from './fiber.ts';
import { Frame } from './frame.ts';
import { contextOf } from './raised-at.ts';
import { enterIteration, itemsOf } from './run-for.ts';
import { RUN_LIMITS } from './run-limits.ts';

type Parallel = Extract<StepBody, { kind: 'parallel' }>;

/** One branch or iteration that is to run. */
interface Job {
  readonly id: string;
  readonly scope: Scoped;
  /** Sets the variables of an iteration. */
  prepare(frame: Frame): void;
}

/** Runs all branches to their ends, whatever becomes of the others, and raises what they raised, together. */
export async function runParallel(body: Parallel, frame: Frame): Promise<void> {
  const { fiber } = frame;
  if (fiber.parallelDepth >= RUN_LIMITS.parallelDepth)
    throw parallelNestingError(
      `parallel steps stand more than ${RUN_LIMITS.parallelDepth} deep in each other`,
    );
  const jobs = await jobsOf(body, frame);
  const limit = await limitOf(body, frame);
  const fork = fiber.forks;
  fiber.forks += 1;
  const raised = new Map<number, Raised>();
  await runAll(shuffled(jobs, fiber), { fiber, limit }, async ({ job, at }) => {
    const error = await runJob(job, { frame, id: `${fiber.id}.${fork}:${at}` });
    if (error !== undefined) raised.set(at, error);
  });
  const failed = [...raised].toSorted(([a], [b]) => a - b);
  if (failed.length === 0) return;
  throw unhandledBranchError(
    failed.map(([at, error]) => ({
      id: jobs[at]?.id ?? String(at),
      context: contextOf(error),
      payload: error.value,
    })),
  );
}

async function jobsOf({ branches = [], loop }: Parallel, frame: Frame): Promise<Job[]> {
  if (loop === undefined)
    return branches.map(({ name, scope }) => ({ id: name, scope, prepare: () => undefined }));
  const jobs: Job[] = [];
  for (const item of itemsOf(loop, await valueOf(loop.items, frame))) {
    if (jobs.length >= RUN_LIMITS.steps) throw resourceLimitError(`more than ${RUN_LIMITS.steps} steps`);
    const at = jobs.length;
    jobs.push({
      id: String(at),
      scope: loop.scope,
      prepare: (inner) => enterIteration(inner, loop, { item, at: BigInt(at) }),
    });
  }
  return jobs;
}

async function limitOf({ concurrencyLimit }: Parallel, frame: Frame): Promise<number> {
  const given: Value = concurrencyLimit === undefined ? null : await valueOf(concurrencyLimit, frame);
  if (given === null) return RUN_LIMITS.concurrentBranches;
  if (typeof given !== 'bigint' || given < 1n)
    throw typeError(`concurrency_limit takes a positive integer, got ${typeName(given)}`);
  return Math.min(Number(given), RUN_LIMITS.concurrentBranches);
}

interface Placed {
  readonly job: Job;
  readonly at: number;
}

/** In their order; with a seed, in an order that the seed decides: the service promises none. */
function shuffled(jobs: readonly Job[], { execution: { random } }: Fiber): Placed[] {
  const placed = jobs.map((job, at) => ({ job, at }));
  if (random === undefined) return placed;
  for (let last = placed.length - 1; last > 0; last -= 1) {
    const other = Math.floor(random() * (last + 1));
    const kept = placed[last] as Placed;
    placed[last] = placed[other] as Placed;
    placed[other] = kept;
  }
  return placed;
}

/** Runs `work` for each, so many at once, and resolves when the last has ended. */
function runAll(
  placed: readonly Placed[],
  { fiber, limit }: { fiber: Fiber; limit: number },
  work: (placed: Placed) => Promise<void>,
): Promise<void> {
  const { execution, parallelDepth } = fiber;
  const { branches } = execution;
  if (placed.length === 0) return Promise.resolve();
  return new Promise((resolve) => {
    let next = 0;
    let running = 0;
    let isWaiting = false;

    function launch(): void {
      isWaiting = false;
      while (running < limit && next < placed.length) {
        if (!branches.take()) {
          isWaiting = true;
          branches.whenFree(launch);
          return;
        }
        running += 1;
        execution.enter();
        void run(placed[next] as Placed);
        next += 1;
      }
    }

    async function run(one: Placed): Promise<void> {
      try {
        await work(one);
      } catch (error) {
        execution.fail(error);
      }
      running -= 1;
      branches.give();
      if (!isWaiting) launch();
      if (running === 0 && next === placed.length) finish();
      execution.leave();
    }

    function finish(): void {
      // The room of a branch that waits for its own is theirs.
      if (parallelDepth > 0) branches.takeBack();
      execution.enter();
      resolve();
    }

    if (parallelDepth > 0) branches.give();
    launch();
    execution.leave();
  });
}

/** What the branch raised, if anything; what ends the execution is thrown. */
async function runJob(job: Job, { frame, id }: { frame: Frame; id: string }): Promise<Raised | undefined> {
  const { execution, places, parallelDepth, changed } = frame.fiber;
  const fiber: Fiber = {
    id,
    execution,
    places: places.map((place) => ({ ...place })),
    parallelDepth: parallelDepth + 1,
    calls: 0,
    forks: 0,
    ...(changed === undefined ? {} : { changed: new Map<string, Value>() }),
  };
  const inner = new Frame(fiber, { outer: frame, locals: job.scope.locals });
  try {
    job.prepare(inner);
    await execution.interpreter.steps(job.scope.steps, inner);
    return undefined;
  } catch (error) {
    if (error instanceof Raised && !error.isFatal) return error;
    throw error;
  } finally {
    inner.close();
  }
}
