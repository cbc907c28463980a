import { createHash } from 'node:crypto';
import picomatch from 'picomatch';
import {
  MAX_BUNDLE_BYTES,
  type AttemptBrief,
  type AttemptResultInput,
  attemptResult,
  changeSetBundle,
  type Proposal,
  proposal as proposalShape,
  type ProposalAnswer,
  type SeenMarks,
} from '../messages/attempt-api.ts';
import type { TranscriptLine } from '../messages/transcript-line.ts';
import type { Attempt } from '../ports/attempt.ts';
import { PenstockError } from '../ports/penstock-error.ts';
import { delegateSubtask } from './delegation/delegate-subtask.ts';
import type { Fence } from './fence.ts';
import { finishAttempt, type FinishPorts, type ProposedChangeSet } from './finish-attempt.ts';
import { sendMessage } from './mail/send-message.ts';
import { meteredModel } from './metered-model.ts';
import type { Ports } from './ports.ts';
import { blobKeys, refs } from './refs.ts';
import { renewAttempt } from './renew-attempt.ts';
import { requireHeld } from './require-held.ts';
import { redactLine } from './work/redact-line.ts';
import { validateChangeSet } from './repository/validate-change-set.ts';
import { redact } from './repository/scan-secrets.ts';

/** One that is held may also be ended. */
export type AttemptPorts = FinishPorts & Pick<Ports, 'model'>;

const UPLOAD_URL_MS = 15 * 60_000;

/** What the platform does for one held attempt: in-process for the function lane, behind HTTP for the job lane. */
export function createAttempt(ports: AttemptPorts, fence: Fence, brief: AttemptBrief): Attempt {
  let seen: SeenMarks = brief.seen ?? { messages: 0, mail: 0 };
  return {
    brief,
    model: meteredModel(ports, fence),
    async renew() {
      const answer = await renewAttempt(ports, fence, seen);
      seen = answer.seen ?? seen;
      return answer;
    },
    log: (n, lines) => storeTranscript(ports, fence, n, lines),
    propose: async (proposal) => propose(ports, fence, proposalShape.parse(proposal)),
    finish: async (result) => finishAttempt(ports, fence, attemptResult.parse(result)),
    fetch: (url) => Promise.reject(noUrls(url)),
    upload: (url) => Promise.reject(noUrls(url)),
  };
}

function noUrls(url: string): PenstockError {
  return new PenstockError(
    'invalid',
    `an attempt of the function lane has no workspace to move files to or from (${url})`,
  );
}

/**
 * Chunk `n` under its own key; the same chunk again changes nothing. Secrets never reach the transcript.
 * @throws PenstockError `stale` where the attempt is not held any more.
 */
export async function storeTranscript(
  ports: Pick<Ports, 'blobs' | 'store'>,
  fence: Fence,
  n: number,
  lines: TranscriptLine[],
): Promise<void> {
  await requireHeld(ports, fence);
  const key = blobKeys.transcript(fence.tenant, fence.run, fence.task, fence.generation, n);
  const text = lines.map((line) => `${JSON.stringify(redactLine(line, redact))}\n`).join('');
  await ports.blobs.put(key, text, { ifAbsent: true, contentType: 'application/x-ndjson' });
}

/** What an attempt asks for outside its sandbox, checked and done. */
export async function propose(
  ports: AttemptPorts,
  fence: Fence,
  proposal: Proposal,
): Promise<ProposalAnswer> {
  if (proposal.kind === 'subtask') return delegateSubtask(ports, fence, proposal);
  if (proposal.kind === 'message') return sendMessage(ports, fence, proposal);
  return proposeFiles(ports, fence, proposal);
}

/** An upload gets its own URL; an uploaded change set is checked and kept under the attempt's own key. */
async function proposeFiles(
  ports: AttemptPorts,
  fence: Fence,
  proposal: Extract<Proposal, { n: number }>,
): Promise<ProposalAnswer> {
  await requireHeld(ports, fence);
  const { tenant, run, task, generation } = fence;
  const purpose = proposal.kind === 'upload' ? proposal.purpose : 'change-set';
  const key = blobKeys.upload(tenant, run, task, generation, purpose, proposal.n);
  if (proposal.kind === 'upload') {
    return { key, url: await ports.blobs.signUrl({ key, method: 'PUT', expiresInMs: UPLOAD_URL_MS }) };
  }
  const bytes = await ports.blobs.get(key);
  if (bytes === undefined)
    throw new PenstockError('invalid', `change set ${proposal.n} of ${task}/${generation} was not uploaded`);
  const { changeSet } = readBundle(bytes);
  await refuseOutside(
    ports,
    fence,
    changeSet.entries.map(({ path }) => path),
  );
  const kept = blobKeys.changeSet(tenant, run, task, generation);
  await ports.blobs.put(kept, bytes, { contentType: 'application/json' });
  return { key: kept };
}

/** The sandbox confines a shell to the checkout; which files of it may change is decided here. */
async function refuseOutside(ports: AttemptPorts, fence: Fence, paths: string[]): Promise<void> {
  const [run, task] = await Promise.all([
    ports.store.get(refs.run(fence.tenant, fence.run)),
    ports.store.get(refs.task(fence.tenant, fence.run, fence.task)),
  ]);
  const globs = [run?.data.contract?.commands.paths, ports.agents.get(task?.data.agent ?? '')?.paths];
  const outside = paths.filter((path) =>
    globs.some((allowed) => allowed !== undefined && !picomatch.isMatch(path, allowed, { dot: true })),
  );
  if (outside.length === 0) return;
  const reasons = outside.map(
    (path) => `${path} is outside what this agent or this repository allows to change`,
  );
  throw new PenstockError('forbidden', 'the change set touches files it may not', { reasons });
}

/**
 * A change set with contents that are what it says.
 * @throws PenstockError `invalid` with every reason: paths, modes, sizes, hashes.
 */
export function readBundle(bytes: Uint8Array): {
  changeSet: ReturnType<typeof validateChangeSet>;
  contents: Map<string, Uint8Array>;
} {
  if (bytes.length > MAX_BUNDLE_BYTES) {
    throw new PenstockError(
      'too_large',
      `the change set has ${bytes.length} bytes; ${MAX_BUNDLE_BYTES} are allowed`,
    );
  }
  const parsed = changeSetBundle.safeParse(parseJson(new TextDecoder().decode(bytes)));
  if (!parsed.success)
    throw new PenstockError(
      'invalid',
      `the change set is malformed: ${parsed.error.issues[0]?.message ?? ''}`,
    );
  const changeSet = validateChangeSet(parsed.data.changeSet);
  const contents = new Map(
    Object.entries(parsed.data.contents).map(([sha, text]) => [
      sha,
      new Uint8Array(Buffer.from(text, 'base64')),
    ]),
  );
  const wanted = changeSet.entries.flatMap(({ blob, before }) => [blob, before?.blob]);
  const wrong = wanted.filter((sha) => sha !== null && sha !== undefined && !holds(contents, sha));
  if (wrong.length > 0) {
    throw new PenstockError('invalid', 'contents of the change set are missing or differ from their hash', {
      reasons: wrong.map(String),
    });
  }
  return { changeSet, contents };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function holds(contents: Map<string, Uint8Array>, sha: string): boolean {
  const bytes = contents.get(sha);
  return bytes !== undefined && createHash('sha256').update(bytes).digest('hex') === sha;
}

/** Finish of a worker that has a workspace: its change set counts, and where one is due it must be there. */
export async function finishJob(
  ports: AttemptPorts,
  fence: Fence,
  input: AttemptResultInput,
): Promise<'stored' | 'stale'> {
  const result = attemptResult.parse(input);
  if (result.outcome === 'failed') return finishAttempt(ports, fence, result);
  const task = (await ports.store.get(refs.task(fence.tenant, fence.run, fence.task)))?.data;
  const changeSet = await proposedChangeSet(ports, fence);
  const due = task !== undefined && ports.agents.get(task.agent)?.result === 'change_set';
  if (!due || changeSet !== undefined)
    return finishAttempt(ports, fence, result, changeSet === undefined ? {} : { changeSet });
  const failure = {
    code: 'empty_output' as const,
    message: 'the attempt ended without a change to any file',
  };
  return finishAttempt(ports, fence, { outcome: 'failed', failure, checks: result.checks });
}

async function proposedChangeSet(
  ports: Pick<Ports, 'blobs'>,
  fence: Fence,
): Promise<ProposedChangeSet | undefined> {
  const key = blobKeys.changeSet(fence.tenant, fence.run, fence.task, fence.generation);
  const bytes = await ports.blobs.get(key);
  if (bytes === undefined) return undefined;
  const { changeSet } = readBundle(bytes);
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  return { key, sha256, files: changeSet.entries.length, added: changeSet.added, deleted: changeSet.deleted };
}
