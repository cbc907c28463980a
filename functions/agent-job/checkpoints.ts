import { createHash } from 'node:crypto';
import { checkpoint } from '../../shared/adapters/workspace/snapshot.ts';
import type { Workspace } from '../../shared/adapters/workspace/workspace.ts';
import { messageOf } from '../../shared/core/work/attempt-failures.ts';
import { LARGE_CHECKPOINT_BYTES, LARGE_CHECKPOINT_EVERY_MS } from '../../shared/core/work/limits.ts';
import { mayChangeFiles } from '../../shared/core/work/resume-point.ts';
import type { ToolCall } from '../../shared/core/work/tool-turn.ts';
import { PenstockError } from '../../shared/ports/penstock-error.ts';
import type { Job } from './job.ts';

/** Keeps the workspace's checkpoints in step with the transcript; `afterTools` is called when a turn's results are in it. */
export interface Checkpoints {
  afterTools(calls: ToolCall[]): Promise<void>;
}

export function createCheckpoints(
  { attempt, transcript, steering, clock }: Job,
  workspace: Workspace,
): Checkpoints {
  let last: { sha256: string; key: string } | undefined;
  let lastLargeAt = -Infinity;
  let count = 0;

  async function save(patch: Uint8Array): Promise<string> {
    const { key, url } = await attempt.propose({ kind: 'upload', purpose: 'checkpoint', n: count });
    if (url === undefined)
      throw new PenstockError('internal', 'The platform gave no URL to upload a checkpoint to.');
    await attempt.upload(url, patch);
    count += 1;
    return key;
  }

  async function take(): Promise<void> {
    const patch = await checkpoint(workspace);
    const sha256 = createHash('sha256').update(patch).digest('hex');
    const isLarge = patch.byteLength > LARGE_CHECKPOINT_BYTES;
    const isDue =
      !isLarge || steering.isWrapUpDue() || clock.now() - lastLargeAt >= LARGE_CHECKPOINT_EVERY_MS;
    if (last?.sha256 !== sha256) {
      if (!isDue) return;
      last = { sha256, key: await save(patch) };
      if (isLarge) lastLargeAt = clock.now();
    }
    transcript.write({ kind: 'checkpoint', blob: last.key });
  }

  return {
    async afterTools(calls) {
      if (!calls.some(({ name, allowed }) => allowed && mayChangeFiles(name))) return;
      try {
        await take();
      } catch (error) {
        if (error instanceof PenstockError && error.code === 'stale') throw error;
        // Without it the next attempt starts further back; that is no reason to end this one.
        transcript.write({ kind: 'note', text: `No checkpoint: ${messageOf(error)}` });
      }
    },
  };
}
