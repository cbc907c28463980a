import { mkdir, rm } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { createAnthropicModel } from '../../shared/adapters/anthropic/anthropic-model.ts';
import { createHttpAttempt } from '../../shared/adapters/attempts-http/http-attempt.ts';
import { loadAgents, loadPrompts } from '../../shared/adapters/local/agent-files.ts';
import { redact } from '../../shared/core/repository/scan-secrets.ts';
import { messageOf } from '../../shared/core/work/attempt-failures.ts';
import { doAgentWork, type Roster } from '../../shared/core/work/agent-work.ts';
import { runAttempt, type WorkContext } from '../../shared/core/work/run-attempt.ts';
import { createSteering } from '../../shared/core/work/steering.ts';
import type { AttemptResultInput } from '../../shared/messages/attempt-api.ts';
import type { Attempt } from '../../shared/ports/attempt.ts';
import type { Clock } from '../../shared/ports/clock.ts';
import type { Log } from '../../shared/ports/log.ts';
import type { Span, Trace } from '../../shared/ports/trace.ts';
import type { Tool } from '../../shared/ports/tool.ts';
import { PenstockError } from '../../shared/ports/penstock-error.ts';
import type { JobConfig } from '../../shared/runtime/job-config.ts';
import { createAgentBench } from './agent-bench.ts';
import { integrate } from './integrate.ts';
import type { Job } from './job.ts';
import { openSandbox } from './job-sandbox.ts';
import { attemptFolder } from './open-workspace.ts';
import { createPlatformFetch } from './platform-fetch.ts';

export interface JobRun {
  config: JobConfig;
  clock: Clock;
  log: Log;
  trace: Trace;
  /** Proves who runs the job, where the platform asks. */
  idToken?: ((refused?: string) => Promise<string>) | undefined;
  /** Aborted by SIGTERM. */
  terminated: AbortSignal;
  /** Tools as the agent gets them; an embedder may wrap them. @default unchanged */
  wrapTools?: (tools: Tool[]) => Tool[];
}

export type JobEnd = 'finished' | 'stale';

const shared = (name: string): string => fileURLToPath(new URL(`../../shared/${name}`, import.meta.url));

/** One attempt of the job lane from ticket to finish. `stale`: it belongs to somebody else or to nobody; nothing was stored. */
export function runJob(job: JobRun): Promise<JobEnd> {
  const { config, trace } = job;
  return trace.span({ name: 'attempt', parent: config.traceparent }, (span) => doAttempt(job, span));
}

async function doAttempt(job: JobRun, span: Span): Promise<JobEnd> {
  const { config, clock, log, terminated, wrapTools } = job;
  const attempt = await claim(job);
  if (attempt === undefined) return 'stale';
  const { tenant, run, task, generation, agent, limits } = attempt.brief;
  span.note({ tenant, run, task, generation, agent });
  const jobLog = log.with({ tenant, run, task, generation });
  const folder = attemptFolder(config.dataFolder, attempt.brief);
  const steering = createSteering({ clock, limits });
  const onTerminated = (): void => steering.terminate();
  terminated.addEventListener('abort', onTerminated, { once: true });
  if (terminated.aborted) steering.terminate();
  const result = await runAttempt({
    attempt,
    clock,
    redact,
    steering,
    work: (context) =>
      work(context, { config, folder, log: jobLog, wrapTools: wrapTools ?? ((tools) => tools) }),
    cleanUp: () => rm(folder, { recursive: true, force: true, maxRetries: 3 }),
    onStage: (stage, ms) => jobLog.info(`stage ${stage}`, { stage, ms: Math.round(ms) }),
  });
  if (result === 'stopped') return endStopped(attempt, jobLog);
  if (result.outcome === 'failed') span.fail(`${result.failure.code}: ${result.failure.message}`);
  return finish(attempt, result, jobLog);
}

async function claim({ config, clock, log, trace, idToken }: JobRun): Promise<Attempt | undefined> {
  const fetch = createPlatformFetch({ trace, platformUrl: config.attemptsUrl, idToken });
  try {
    return await createHttpAttempt({
      url: config.attemptsUrl,
      ticket: config.ticket,
      clock,
      fetch,
      createModel: ({ provider, ...access }) => {
        if (provider === 'openai')
          throw new PenstockError('config', 'The job lane cannot talk to openai models yet.');
        return createAnthropicModel({ ...access, provider, log, fetch });
      },
    });
  } catch (error) {
    if (error instanceof PenstockError && error.code === 'stale') return undefined;
    throw error;
  }
}

async function work(
  context: WorkContext,
  {
    config,
    folder,
    log,
    wrapTools,
  }: { config: JobConfig; folder: string; log: Log; wrapTools: Job['wrapTools'] },
): Promise<AttemptResultInput> {
  const { brief } = context.attempt;
  const confined = await openSandbox(config, brief.model.provider);
  log.info(`sandbox ${confined.sandbox.kind}`, { reason: confined.reason, mayRunCode: confined.mayRunCode });
  await removeEarlier(config, context);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const job: Job = { ...context, ...confined, folder, wrapTools };
  if (brief.kind === 'integrate') return integrate(job);
  const roster = await loadRoster();
  return doAgentWork(context, roster, createAgentBench(job, roster));
}

/** An attempt that was killed could not clean up; by now it has lost its claim and its files are worth nothing. */
async function removeEarlier({ dataFolder }: JobConfig, { attempt }: WorkContext): Promise<void> {
  const { generation } = attempt.brief;
  if (generation === 1) return;
  const folder = attemptFolder(dataFolder, { ...attempt.brief, generation: generation - 1 });
  await rm(folder, { recursive: true, force: true, maxRetries: 3 });
}

async function loadRoster(): Promise<Roster> {
  const [agents, prompts] = await Promise.all([loadAgents(shared('agents')), loadPrompts(shared('prompts'))]);
  return { agents: new Map(agents.map((agent) => [agent.name, agent])), prompts };
}

/** A cancelled run need not wait for the lease of an attempt that has already stopped. Whoever lost the claim says nothing. */
async function endStopped(attempt: Attempt, log: Log): Promise<JobEnd> {
  try {
    const { answer } = await attempt.renew();
    if (answer !== 'stop') return 'stale';
    const message = 'The run was cancelled while the attempt was at work.';
    return await finish(attempt, { outcome: 'failed', failure: { code: 'cancelled', message } }, log);
  } catch (error) {
    log.info(`attempt stopped, its lease will end: ${messageOf(error)}`);
    return 'stale';
  }
}

async function finish(attempt: Attempt, result: AttemptResultInput, log: Log): Promise<JobEnd> {
  try {
    const stored = await attempt.finish(result);
    const end = result.outcome === 'succeeded' ? {} : { code: result.failure.code };
    log.info(`attempt ${result.outcome}`, { stored, ...end });
    return stored === 'stored' ? 'finished' : 'stale';
  } catch (error) {
    if (error instanceof PenstockError && error.code === 'stale') return 'stale';
    throw error;
  }
}
