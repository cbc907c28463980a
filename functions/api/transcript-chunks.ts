import { blobKeys, refs } from '../../shared/core/refs.ts';
import type { Task } from '../../shared/core/task.ts';
import { hasEnded } from '../../shared/core/views/task-view.ts';
import type { Ports } from '../../shared/core/ports.ts';

const POLL_MS = 500;
/** Who follows longer asks again. */
export const MAX_FOLLOW_MS = 30 * 60_000;

/**
 * The chunks of an attempt's transcript in order. `signal` given: waits for further ones until the attempt has ended,
 * the signal is aborted, or {@link MAX_FOLLOW_MS} have passed.
 */
export async function* transcriptChunks(
  ports: Pick<Ports, 'store' | 'blobs' | 'clock'>,
  { tenant, run, id }: Pick<Task, 'tenant' | 'run' | 'id'>,
  generation: number,
  signal?: AbortSignal,
): AsyncGenerator<Uint8Array> {
  const giveUpAt = ports.clock.now() + MAX_FOLLOW_MS;
  let n = 0;
  for (;;) {
    // Whether it has ended is read before the chunks: what it wrote last is then there.
    const isOver =
      signal === undefined || (await attemptHasEnded(ports, refs.task(tenant, run, id), generation));
    for (;;) {
      const bytes = await ports.blobs.get(blobKeys.transcript(tenant, run, id, generation, n));
      if (bytes === undefined) break;
      yield bytes;
      n += 1;
    }
    if (isOver || signal.aborted || ports.clock.now() > giveUpAt) return;
    await ports.clock.sleep(POLL_MS, signal).catch(() => undefined);
    if (signal.aborted) return;
  }
}

async function attemptHasEnded(
  { store }: Pick<Ports, 'store'>,
  ref: ReturnType<typeof refs.task>,
  generation: number,
): Promise<boolean> {
  const task = (await store.get(ref))?.data;
  const attempt = task?.attempts.find((candidate) => candidate.generation === generation);
  return task === undefined || attempt === undefined || hasEnded(task, attempt);
}
