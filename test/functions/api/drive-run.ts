import { createHash } from 'node:crypto';
import { claimJob, claimTask, reserveJob } from '../../../shared/core/claim-task.ts';
import { finishJob, propose, storeTranscript } from '../../../shared/core/create-attempt.ts';
import { decomposeRun } from '../../../shared/core/decompose-run.ts';
import type { Fence } from '../../../shared/core/fence.ts';
import { finishAttempt } from '../../../shared/core/finish-attempt.ts';
import { followTask } from '../../../shared/core/follow-task.ts';
import { integrateRun } from '../../../shared/core/integration/integrate-run.ts';
import { reserve, settle } from '../../../shared/core/meter.ts';
import type { Ports } from '../../../shared/core/ports.ts';
import { refs } from '../../../shared/core/refs.ts';
import type { Run } from '../../../shared/core/run.ts';
import { type Submission, submitRun } from '../../../shared/core/submit-run.ts';
import {
  type AttemptResultInput,
  attemptResult,
  type ChangeSetBundle,
} from '../../../shared/messages/attempt-api.ts';
import type { TranscriptEntry } from '../../../shared/messages/transcript-line.ts';
import type { TaskHint } from '../../../shared/messages/topics.ts';

/** Text by path before and after; `null`: not there. */
export type Files = Record<string, [before: string | null, after: string | null]>;

export interface Part {
  result?: AttemptResultInput;
  lines?: TranscriptEntry[];
  files?: Files;
  spentMicroUsd?: number;
}

/** Submits a run and lets decomposition start it, through the core's own functions. */
export async function startRun(ports: Ports, submission: Partial<Submission> = {}): Promise<Run> {
  const { run } = await submitRun(ports, {
    tenant: 'local',
    title: 'Todos need a priority',
    requirement: 'Todos need a priority.',
    origin: { kind: 'cli', actor: 'local' },
    priority: 'normal',
    dryRun: false,
    plan: { tasks: [plannedTask('write')] },
    ...submission,
  });
  await decomposeRun(ports, hintOf(run));
  return readRun(ports, run);
}

export function plannedTask(id: string, agent = 'technical_writer', dependencies: string[] = []) {
  return {
    id,
    agent,
    instructions: `Do ${id}.`,
    dependencies,
    acceptance: ['it is done'],
    scope: [],
    optional: false,
  };
}

export async function readRun(ports: Ports, { tenant, id }: Pick<Run, 'tenant' | 'id'>): Promise<Run> {
  const found = await ports.store.get(refs.run(tenant, id));
  if (found === undefined) throw new Error(`there is no run ${id}`);
  return found.data;
}

/** Claims a task like its executor would, and writes and pays what the part says. */
export async function claim(ports: Ports, run: Run, task: string, part: Part = {}): Promise<Fence> {
  const record = (await ports.store.get(refs.task(run.tenant, run.id, task)))?.data;
  const generation = (record?.attempts.length ?? 0) + 1;
  const hint: TaskHint = { ...hintOf(run), task, generation };
  const fence = await (record?.lane === 'job' ? claimWithTicket(ports, hint) : claimHere(ports, hint));
  if (part.lines !== undefined) await write(ports, fence, 0, part.lines);
  if (part.spentMicroUsd !== undefined) await spend(ports, fence, part.spentMicroUsd);
  return fence;
}

/** One chunk of the transcript, durable when it resolves. */
export async function write(
  ports: Ports,
  fence: Fence,
  n: number,
  entries: TranscriptEntry[],
): Promise<void> {
  const lines = entries.map((entry, index) => ({
    v: 1 as const,
    seq: n * 1_000 + index,
    at: ports.clock.now(),
    ...entry,
  }));
  await storeTranscript(ports, fence, n, lines);
}

/** Ends an attempt and lets everything follow that follows from it. */
export async function finish(ports: Ports, run: Run, fence: Fence, part: Part = {}): Promise<void> {
  const result = part.result ?? {
    outcome: 'succeeded',
    summary: `${fence.task} is done`,
    output: `text of ${fence.task}`,
  };
  if (part.files !== undefined) await proposeFiles(ports, run, fence, part.files);
  const task = (await ports.store.get(refs.task(run.tenant, run.id, fence.task)))?.data;
  await (task?.lane === 'job'
    ? finishJob(ports, fence, result)
    : finishAttempt(ports, fence, attemptResult.parse(result)));
  await followTask(ports, { v: 1, ...fence });
  await integrateRun(ports, run.tenant, run.id);
}

export async function work(ports: Ports, run: Run, task: string, part: Part = {}): Promise<void> {
  await finish(ports, run, await claim(ports, run, task, part), part);
}

async function claimHere(ports: Ports, hint: TaskHint): Promise<Fence> {
  const claimed = await claimTask(ports, hint);
  if (claimed.outcome !== 'mine')
    throw new Error(`${hint.task}/${hint.generation} could not be claimed: ${claimed.task.state}`);
  return claimed.fence;
}

async function claimWithTicket(ports: Ports, hint: TaskHint): Promise<Fence> {
  const { ticket } = await reserveJob(ports, hint);
  const claimed = await claimJob(ports, ticket);
  if (claimed === undefined) throw new Error(`${hint.task}/${hint.generation} could not be claimed`);
  return claimed.fence;
}

async function spend(ports: Ports, fence: Fence, microUsd: number): Promise<void> {
  await reserve(ports, fence, { microUsd, model: 'script-1' });
  const usage = { input: 900, output: 250, cacheRead: 4_000, cacheWrite: 100 };
  await settle(ports, fence, { reservedMicroUsd: microUsd, spentMicroUsd: microUsd, usage, answered: true });
}

async function proposeFiles(ports: Ports, run: Run, fence: Fence, files: Files): Promise<void> {
  const upload = await propose(ports, fence, { kind: 'upload', purpose: 'change-set', n: 0 });
  await ports.blobs.put(upload.key, JSON.stringify(bundleOf(run.targets[0]?.baseSha ?? '', files)));
  await propose(ports, fence, { kind: 'change-set', n: 0 });
}

export function bundleOf(baseSha: string, files: Files): ChangeSetBundle {
  const contents: Record<string, string> = {};
  const keep = (text: string) => {
    const sha = createHash('sha256').update(text).digest('hex');
    contents[sha] = Buffer.from(text).toString('base64');
    return sha;
  };
  const entries = Object.entries(files).map(([path, [before, after]]) => ({
    path,
    mode: after === null ? null : ('100644' as const),
    blob: after === null ? null : keep(after),
    bytes: Buffer.byteLength(after ?? ''),
    before: before === null ? null : { mode: '100644' as const, blob: keep(before) },
  }));
  return { changeSet: { v: 1, baseSha, entries, added: 3, deleted: 1, checks: [] }, contents };
}

function hintOf({ tenant, id }: Pick<Run, 'tenant' | 'id'>) {
  return { v: 1 as const, tenant, run: id };
}
