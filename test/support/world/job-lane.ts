import { createAttempt, finishJob } from '../../../shared/core/create-attempt.ts';
import { type Fence, parseToken } from '../../../shared/core/fence.ts';
import { openJob } from '../../../shared/core/open-job.ts';
import type { Ports } from '../../../shared/core/ports.ts';
import { renewAttempt } from '../../../shared/core/renew-attempt.ts';
import type { AttemptBrief, AttemptResultInput } from '../../../shared/messages/attempt-api.ts';
import type { JobRequest } from '../../../shared/ports/job-starter.ts';
import { isTransient, PenstockError } from '../../../shared/ports/penstock-error.ts';
import { type Cluster, whole } from './cluster.ts';
import { fateOf, startOf } from './scenario.ts';
import { turns } from './turns.ts';
import { isHeld, workAttempt } from './work-attempt.ts';

/** Of a task for which there is no room. */
const MAX_REFUSALS = 2;

/** Starts programs that know nothing but their ticket and may ask nothing but what the attempts API answers. */
export function createWorldJobs(cluster: Cluster): Ports['jobs'] {
  const refusals = new Map<string, number>();
  const { world } = cluster;
  return {
    start: (job) => {
      const name = `${job.task}/${job.generation}`;
      const start = startOf(world.given, job.task);
      const refused = refusals.get(job.task) ?? 0;
      world.trace.push(`job ${name} is started: ${start}`);
      if (start === 'no_capacity' && refused < MAX_REFUSALS) {
        refusals.set(job.task, refused + 1);
        return Promise.resolve('no_capacity');
      }
      const isNever = (start === 'never' || start === 'failed') && job.generation === 1;
      if (!isNever) runProgram(cluster, job);
      if (start === 'twice') runProgram(cluster, job);
      const isUnknown = (start === 'lost' || start === 'failed') && job.generation === 1;
      if (isUnknown)
        return Promise.reject(new PenstockError('unavailable', 'no answer to a start', { retry: 'later' }));
      return Promise.resolve('started');
    },
    cancel: () => Promise.resolve(),
    state: () => Promise.resolve({ state: 'unknown' }),
  };
}

/** Of one program that was started; who cannot reach the platform any more, or is told to stop, is gone without a word. */
function runProgram(cluster: Cluster, job: JobRequest): void {
  const { world } = cluster;
  const actor = program(cluster, job)
    .catch((error: unknown) => {
      const isPlain = error instanceof PenstockError && (error.code === 'stale' || error.code === 'budget');
      if (!isPlain && !isTransient(error))
        world.breach('nothing fails for good', `job ${job.task}: ${String(error)}`);
    })
    .finally(() => world.actors.delete(actor));
  world.actors.add(actor);
}

async function program(cluster: Cluster, job: JobRequest): Promise<void> {
  const { world } = cluster;
  await turns(Math.floor(world.ids.fraction() * 6));
  const { token, brief } = await cluster.call((ports) => openJob(whole(ports), job.ticket));
  const fence = parseToken(token);
  if (fence === undefined) return world.breach('a ticket buys a token', token);
  const result = await workOrFail(cluster, attemptOver(cluster, fence, brief), fateOf(world.given, job));
  await finish(cluster, fence, result);
  // An answer that it did not hear: it says so again.
  if (world.ids.fraction() < 0.3) await finish(cluster, fence, result);
}

/** As the program of the job lane does: what may pass is a failed attempt; who holds its task no more stops. */
async function workOrFail(...given: Parameters<typeof workAttempt>): Promise<AttemptResultInput> {
  try {
    return await workAttempt(...given);
  } catch (error) {
    if (!isTransient(error)) throw error;
    return { outcome: 'failed', failure: { code: 'network', message: String(error) } };
  }
}

function attemptOver(cluster: Cluster, fence: Fence, brief: AttemptBrief): Parameters<typeof workAttempt>[1] {
  return {
    brief,
    model: {
      provider: 'script',
      countTokens: () => Promise.resolve(0),
      answer: (request) => cluster.call((ports) => createAttempt(ports, fence, brief).model.answer(request)),
    },
    renew: () => cluster.call((ports) => renewAttempt(ports, fence)),
  };
}

/** As its client does: a failure that may pass is tried again. */
async function finish(cluster: Cluster, fence: Fence, result: AttemptResultInput): Promise<void> {
  const { world } = cluster;
  for (let tries = 0; tries < 3; tries += 1) {
    const held = isHeld(world, fence);
    const ended = world.witness.task(fence.task)?.attempts[fence.generation - 1]?.exit;
    try {
      const outcome = await cluster.call((ports) => finishJob(ports, fence, result));
      const isLost = !held && (ended?.outcome === 'lost' || ended === undefined);
      if (isLost && outcome === 'stored')
        world.breach('a stale generation changes nothing', `${fence.task}/${fence.generation} was stored`);
      return;
    } catch (error) {
      if (!isTransient(error)) throw error;
    }
  }
}
