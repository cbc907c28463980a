import type { TaskHint } from '../messages/topics.ts';
import {
  type AttemptResultInput,
  attemptResult,
  type FailureCode,
  MAX_SUMMARY_CHARS,
} from '../messages/attempt-api.ts';
import { isTransient, PenstockError } from '../ports/penstock-error.ts';
import type { Versioned } from '../ports/store.ts';
import { buildBrief } from './build-brief.ts';
import { whenAdmitted } from './admission.ts';
import { claimTask, decideDispatch, doubtJob, reserveJob, returnJob } from './claim-task.ts';
import { createAttempt } from './create-attempt.ts';
import type { Fence } from './fence.ts';
import { finishAttempt } from './finish-attempt.ts';
import { planWork } from './plan/plan-work.ts';
import type { OpenAttempt, Ports } from './ports.ts';
import { refs } from './refs.ts';
import { announceEnd } from './release-dependants.ts';
import { tierOf } from './remedy.ts';
import { renewAttempt } from './renew-attempt.ts';
import { repositoryTools } from './repository/repository-tools.ts';
import type { Run, Target } from './run.ts';
import type { Task } from './task.ts';
import { traceOf } from './trace-of.ts';

/** How long a job of which nobody knows whether it started may take to claim its attempt. */
const UNKNOWN_START_MS = 60_000;

/** A dispatched task: claimed and worked here (function lane), or handed to a job (job lane). */
export async function executeTask(ports: Ports, hint: TaskHint): Promise<void> {
  const found = await ports.store.get(refs.task(hint.tenant, hint.run, hint.task));
  if (found === undefined) return;
  const now = ports.clock.now();
  switch (decideDispatch(found.data, hint.generation, now)) {
    case 'ended':
      return announceEnd(ports, found.data, hint.generation);
    case 'other':
      return;
    case 'claim':
      return found.data.lane === 'job' ? startJob(ports, hint, found) : workHere(ports, hint, found);
  }
}

async function startJob(ports: Ports, hint: TaskHint, found: Versioned<Task>): Promise<void> {
  const claim = await whenAdmitted(ports, found, (known, agent) => reserveJob(ports, hint, { known, agent }));
  if (claim?.outcome === 'ended') return announceEnd(ports, claim.task, hint.generation);
  if (claim?.outcome !== 'mine') return;
  const tier = tierOf(claim.task, ports.agents.get(claim.task.agent));
  const { tenant, run, task, generation } = hint;
  const traceparent = traceOf(ports, claim.task);
  const job = { tenant, run, task, generation, ticket: claim.ticket, tier, traceparent };
  try {
    const started = await ports.jobs.start(job);
    if (started === 'no_capacity') await returnJob(ports, hint);
  } catch (error) {
    if (!isTransient(error)) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    ports.log.warn(`nobody knows whether job ${task}/${generation} started: ${reason}`, {
      tenant,
      run,
      task,
    });
    await doubtJob(ports, hint, UNKNOWN_START_MS);
  }
}

async function workHere(ports: Ports, hint: TaskHint, found: Versioned<Task>): Promise<void> {
  const claim = await whenAdmitted(ports, found, (known, agent) => claimTask(ports, hint, { known, agent }));
  if (claim?.outcome === 'ended') return announceEnd(ports, claim.task, hint.generation);
  if (claim?.outcome !== 'mine') return;
  const claimed = { ref: found.ref, data: claim.task, version: claim.version };
  const result = await attempt(ports, claim.fence, claimed);
  if (result !== undefined)
    await finishAttempt(ports, claim.fence, attemptResult.parse(result), { known: claimed });
}

/** What is worked, as a span that fails with it. */
function attempt(
  ports: Ports,
  fence: Fence,
  claimed: Versioned<Task>,
): Promise<AttemptResultInput | undefined> {
  const { tenant, run, task, generation } = fence;
  const fields = { tenant, run, task, generation, agent: claimed.data.agent };
  const parent = traceOf(ports, claimed.data);
  return ports.trace.span({ name: 'attempt', parent, fields }, async (span) => {
    const result = await workOrFail(ports, fence, claimed);
    if (result?.outcome === 'failed') span.fail(`${result.failure.code}: ${result.failure.message}`);
    return result;
  });
}

/** Nothing that goes wrong here is the message's fault: it ends this attempt, not the delivery. `undefined`: the attempt is not ours any more. */
async function workOrFail(
  ports: Ports,
  fence: Fence,
  claimed: Versioned<Task>,
): Promise<AttemptResultInput | undefined> {
  try {
    return await work(ports, fence, claimed);
  } catch (error) {
    if (error instanceof PenstockError && error.code === 'stale') return cancelledOrLost(ports, fence);
    const message = (error instanceof Error ? error.message : String(error)).slice(0, MAX_SUMMARY_CHARS);
    ports.log.error(`attempt ${fence.task}/${fence.generation} broke: ${message}`, {
      tenant: fence.tenant,
      run: fence.run,
    });
    return { outcome: 'failed', failure: { code: codeOf(error), message } };
  }
}

/** A worker that was told to stop still holds its task when its run is being cancelled: it says so, and nobody waits for the lease. */
async function cancelledOrLost(ports: Ports, fence: Fence): Promise<AttemptResultInput | undefined> {
  try {
    const { answer } = await renewAttempt(ports, fence);
    const failure = { code: 'cancelled' as const, message: 'the run was cancelled' };
    return answer === 'stop' ? { outcome: 'failed', failure } : undefined;
  } catch {
    return undefined;
  }
}

function codeOf(error: unknown): FailureCode {
  if (error instanceof PenstockError && error.code === 'budget') return 'budget';
  return error instanceof PenstockError && isTransient(error) ? 'network' : 'internal';
}

/** The worker opens its attempt when it wants to know what to do: what is never asked for is never read. */
async function work(ports: Ports, fence: Fence, claimed: Versioned<Task>): Promise<AttemptResultInput> {
  const task = claimed.data;
  let filesRead = () => 0;
  const open = async (): Promise<OpenAttempt> => {
    const run = (await ports.store.get(refs.run(fence.tenant, fence.run)))?.data;
    const brief = await buildBrief(ports, fence, task, run);
    const reading = repositoryTools(ports, sourceOf(run, task), ports.agents.get(task.agent)?.tools ?? []);
    filesRead = reading.filesRead;
    return { attempt: createAttempt(ports, fence, brief), tools: reading.tools };
  };
  const result = task.kind === 'plan' ? await planWork(ports, open) : await ports.work(open);
  return result.outcome === 'succeeded' ? { ...result, filesRead: filesRead() } : result;
}

/** What its tools read: for a review the commit that is to be merged, for everything else the base. */
function sourceOf(run: Run | undefined, { kind, target }: Task): Target | undefined {
  const source = run?.targets[target];
  const head = run?.heads.at(-1);
  return kind === 'review' && source !== undefined && head !== undefined
    ? { ...source, baseSha: head }
    : source;
}
