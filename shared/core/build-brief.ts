import type { Agent } from '../messages/agent-file.ts';
import type { AttemptBrief } from '../messages/attempt-api.ts';
import { MAX_BLOB_PAGE } from '../ports/blob-rules.ts';
import { PenstockError } from '../ports/penstock-error.ts';
import { delegatedBy } from './delegation/delegated-by.ts';
import { withSubtasks } from './delegation/with-subtasks.ts';
import type { Fence } from './fence.ts';
import { saidBefore } from './mail/said-before.ts';
import { modelFor } from './models/model-for.ts';
import type { ModelEntry } from './models/model-table.ts';
import type { Ports } from './ports.ts';
import { blobKeys } from './refs.ts';
import { readOutput } from './read-output.ts';
import { isToSplit } from './remedy.ts';
import type { Run } from './run.ts';
import { reviewCriteria, reviewedWork } from './review-brief.ts';
import { ancestorsOf, inDependencyOrder, readTasks } from './run-tasks.ts';
import type { Task, TaskAttempt } from './task.ts';

type BriefPorts = Pick<
  Ports,
  'store' | 'blobs' | 'clock' | 'agents' | 'policy' | 'codeHost' | 'model' | 'circuits'
>;

/** Text of one dependency in a prompt; what is longer is cut at the end. */
const MAX_DEPENDENCY_CHARS = 12_000;
const MAX_DIFF_BYTES = 120_000;
const SIGNED_URL_MS = 60 * 60_000;
/** Transcript chunks of the attempt before that are handed over. */
const MAX_CHUNKS = 2_000;
const MAX_CHECKPOINTS = 500;

/** Everything that one attempt is told, read fresh from the records. */
export async function buildBrief(
  ports: BriefPorts,
  fence: Fence,
  task: Task,
  run: Run | undefined,
): Promise<AttemptBrief> {
  const agent = ports.agents.get(task.agent);
  if (run === undefined || agent === undefined) {
    throw new PenstockError(
      'not_found',
      `run ${fence.run} or its agent ${task.agent} is gone; cancel the run`,
    );
  }
  const needsOthers = task.kind !== 'plan' && (task.dependencies.length > 0 || task.kind !== 'work');
  const others = needsOthers ? await readTasks(ports.store, fence.tenant, fence.run) : [];
  const model = await modelFor(ports, task, agent);
  const attempt = task.attempts.at(-1);
  return {
    v: 1,
    tenant: fence.tenant,
    run: fence.run,
    task: task.id,
    generation: fence.generation,
    kind: task.kind,
    agent: task.agent,
    title: task.title,
    requirement: run.requirement.startsWith(run.title)
      ? run.requirement
      : `${run.title}\n\n${run.requirement}`,
    instructions: task.instructions,
    acceptance: task.kind === 'review' ? reviewCriteria(task, others) : task.acceptance,
    scope: task.scope,
    dependencies: await (task.kind === 'review'
      ? reviewedWork(ports, others)
      : dependenciesOf(ports, task, others)),
    ...(await delegatedBy(ports, task)),
    ...(await saidBefore(ports, run, task)),
    ...previousOf(task),
    ...(isToSplit(task) ? { strategy: 'split' as const } : {}),
    ...(await resumeOf(ports, fence, task)),
    ...(await sourceOf(ports, run, task)),
    contract: run.contract?.commands ?? {},
    inputs: await inputsOf(ports, run, task, others),
    ...(await subjectOf(ports, run, task, others)),
    model: {
      id: model.id,
      provider: ports.model.provider,
      maxOutputTokens: affordableOutput(task, agent, model),
    },
    limits: {
      turns: agent.limits.turns,
      wrapUpAt: (attempt?.hardLimitAt ?? 0) - ports.policy.wrapUpMs,
      hardLimitAt: attempt?.hardLimitAt ?? 0,
      renewEveryMs: ports.policy.renewEveryMs,
    },
    ...(run.traceparent === undefined ? {} : { traceparent: run.traceparent }),
  };
}

/** One call may set aside at most this share of what the task may still spend, or the first would leave nothing for a second. */
const CALL_SHARE = 0.4;
/** Less is no answer. */
const MIN_OUTPUT_TOKENS = 1_024;

function affordableOutput(task: Task, agent: Agent, model: ModelEntry): number {
  const allowance = task.attempts.at(-1)?.meter.allowanceMicroUsd ?? 0;
  const affordable = Math.floor((allowance * CALL_SHARE) / model.prices.output);
  return Math.max(
    MIN_OUTPUT_TOKENS,
    Math.min(agent.limits.max_output_tokens, model.maxOutputTokens, affordable),
  );
}

async function dependenciesOf(
  ports: BriefPorts,
  task: Task,
  others: Task[],
): Promise<AttemptBrief['dependencies']> {
  const wanted = withSubtasks(others, task.dependencies);
  return Promise.all(
    inDependencyOrder(others)
      .filter((other) => wanted.has(other.id))
      .map(async (other) => ({
        task: other.id,
        agent: other.agent,
        summary: other.result?.summary ?? other.state,
        output: (await readOutput(ports, other)).slice(0, MAX_DEPENDENCY_CHARS),
      })),
  );
}

function previousOf(task: Task): Pick<AttemptBrief, 'previousFailure'> {
  const exit = task.attempts.at(-2)?.exit;
  if (exit?.message === undefined || exit.outcome === 'lost' || exit.code === 'budget') return {};
  return { previousFailure: `${exit.code ?? 'failed'}: ${exit.message}` };
}

/** The next attempt goes on where one stopped that was lost or ran out of money; after a failure of its own it starts clean, with the reason in its prompt. */
async function resumeOf(ports: BriefPorts, fence: Fence, task: Task): Promise<Pick<AttemptBrief, 'resume'>> {
  const chain = unbrokenChain(task.attempts.slice(0, -1));
  const last = chain.at(-1);
  if (last === undefined) return {};
  const transcripts: string[] = [];
  const checkpoints: string[] = [];
  for (const generation of chain) {
    const { tenant, run, task: id } = fence;
    transcripts.push(
      ...(await keysBeside(ports, blobKeys.transcript(tenant, run, id, generation, 0), MAX_CHUNKS)),
    );
    checkpoints.push(
      ...(await keysBeside(
        ports,
        blobKeys.upload(tenant, run, id, generation, 'checkpoint', 0),
        MAX_CHECKPOINTS,
      )),
    );
  }
  if (transcripts.length === 0) return {};
  const signed = await Promise.all(checkpoints.map(async (key) => [key, await sign(ports, key)] as const));
  const transcriptUrls = await Promise.all(transcripts.map((key) => sign(ports, key)));
  return { resume: { generation: last, transcriptUrls, checkpoints: Object.fromEntries(signed) } };
}

/** Generations that each went on where the one before was lost or had to stop at its budget, up to the newest that ended. */
function unbrokenChain(ended: TaskAttempt[]): number[] {
  const broken = ended.findLastIndex(({ exit }) => exit?.class !== 'transient' && exit?.code !== 'budget');
  return ended.slice(broken + 1).map(({ generation }) => generation);
}

async function keysBeside(ports: Pick<Ports, 'blobs'>, key: string, limit: number): Promise<string[]> {
  const folder = key.slice(0, key.lastIndexOf('/') + 1);
  const keys: string[] = [];
  let cursor: string | undefined;
  do {
    const wanted = Math.min(limit - keys.length, MAX_BLOB_PAGE);
    const page = await ports.blobs.list(folder, {
      limit: wanted,
      ...(cursor === undefined ? {} : { cursor }),
    });
    keys.push(...page.keys);
    cursor = page.cursor;
  } while (cursor !== undefined && keys.length < limit);
  return keys;
}

async function sourceOf(
  ports: BriefPorts,
  run: Run,
  task: Task,
): Promise<Pick<AttemptBrief, 'target' | 'clone'>> {
  const target = run.targets[task.target];
  if (target?.baseSha === undefined) return {};
  const { host, repository, baseSha } = target;
  const service =
    repository
      .split('/')
      .at(-1)
      ?.toLowerCase()
      .replaceAll(/[^a-z0-9-]/g, '-') ?? 'service';
  const facts = { target: { host, repository, baseSha, service: run.taskRun?.serviceName ?? service } };
  if (task.lane !== 'job') return facts;
  const { url, authorization } = await ports.codeHost(target).cloneAccess(target);
  return { ...facts, clone: { url, ...(authorization === undefined ? {} : { authorization }) } };
}

/** Change sets that are in the workspace before the task begins: its own list, or those of its ancestors. */
async function inputsOf(
  ports: BriefPorts,
  run: Run,
  task: Task,
  others: Task[],
): Promise<AttemptBrief['inputs']> {
  if (task.lane !== 'job') return [];
  const byId = new Map(others.map((other) => [other.id, other]));
  const ids =
    task.kind === 'integrate' ? run.changeOrder : (task.inputs ?? ancestorsInOrder(others, task.id));
  const keys = ids.flatMap((id) => {
    const key = byId.get(id)?.result?.changeSet?.key;
    return key === undefined ? [] : [{ id, key }];
  });
  return Promise.all(keys.map(async ({ id, key }) => ({ task: id, url: await sign(ports, key) })));
}

function ancestorsInOrder(tasks: Task[], id: string): string[] {
  const ancestors = withSubtasks(tasks, ancestorsOf(tasks, id));
  return inDependencyOrder(tasks).flatMap((task) => (ancestors.has(task.id) ? [task.id] : []));
}

/** What a reviewer judges: the diff of the branch, and what the checks said of it. */
async function subjectOf(
  ports: BriefPorts,
  run: Run,
  task: Task,
  others: Task[],
): Promise<Pick<AttemptBrief, 'diff' | 'checks'>> {
  const target = run.targets[task.target];
  const head = run.heads.at(-1);
  if (task.kind !== 'review' || target?.baseSha === undefined || head === undefined) return {};
  const integration = others.find(({ id }) => id === `integrate-${run.integrations}`);
  const diff = await ports.codeHost(target).diff(target, target.baseSha, head, MAX_DIFF_BYTES);
  return { diff, checks: integration?.result?.checks ?? [] };
}

async function sign(ports: Pick<Ports, 'blobs'>, key: string): Promise<string> {
  return ports.blobs.signUrl({ key, method: 'GET', expiresInMs: SIGNED_URL_MS });
}
