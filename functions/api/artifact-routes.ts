import { createHash } from 'node:crypto';
import { stream } from 'hono/streaming';
import { readTasks } from '../../shared/core/run-tasks.ts';
import { artifactsOf, type StoredArtifact } from '../../shared/core/views/artifacts.ts';
import { type ArtifactView, listQuery } from '../../shared/messages/run-view.ts';
import type { Blobs } from '../../shared/ports/blobs.ts';
import { PenstockError } from '../../shared/ports/penstock-error.ts';
import type { Runtime } from '../../shared/runtime/functions.ts';
import type { ApiApp, ApiContext } from './api-env.ts';
import { findRun } from './find-run.ts';

export function addArtifactRoutes(app: ApiApp, { ports: { store, blobs } }: Runtime): void {
  async function artifactsOfRun(context: ApiContext): Promise<StoredArtifact[]> {
    const run = await findRun(store, context);
    return artifactsOf(await readTasks(store, run.tenant, run.id));
  }

  app.get('/api/runs/:id/artifacts', async (context) => {
    const { limit, cursor } = listQuery.parse(context.req.query());
    const all = await artifactsOfRun(context);
    const from = cursor === undefined ? 0 : positionAfter(all, cursor);
    const page = all.slice(from, from + limit);
    const items: ArtifactView[] = [];
    // One after the other: each is read as a whole, and a change set may be large.
    for (const artifact of page) items.push(...(await measure(blobs, artifact)));
    const last = page.at(-1);
    return context.json({
      items,
      ...(last === undefined || from + limit >= all.length ? {} : { next: last.id }),
    });
  });

  app.get('/api/runs/:id/artifacts/:artifactId', async (context) => {
    const id = context.req.param('artifactId');
    const artifact = (await artifactsOfRun(context)).find((candidate) => candidate.id === id);
    const parts = artifact === undefined ? undefined : partsOf(blobs, artifact);
    const first = await parts?.next();
    if (artifact === undefined || parts === undefined || first?.done !== false) {
      const shown = JSON.stringify(id.slice(0, 140));
      throw new PenstockError(
        'not_found',
        `there is no artifact ${shown}; GET …/artifacts lists those of the run`,
      );
    }
    context.header('content-type', `${artifact.mediaType}; charset=utf-8`);
    // Written by an agent: opened in a browser, it must not act in our name.
    context.header('content-security-policy', "default-src 'none'; sandbox");
    return stream(context, async (out) => {
      await out.write(first.value);
      for await (const part of parts) await out.write(part);
    });
  });
}

function positionAfter(all: readonly StoredArtifact[], cursor: string): number {
  const at = all.findIndex(({ id }) => id === cursor);
  if (at !== -1) return at + 1;
  throw new PenstockError(
    'invalid',
    'the cursor is not one of this list; ask for the first page without a cursor',
  );
}

/** With its size and hash; nothing where nothing was stored, as by an attempt that was lost at once. */
async function measure(blobs: Blobs, { key: _, ...artifact }: StoredArtifact): Promise<ArtifactView[]> {
  const hash = createHash('sha256');
  let bytes = 0;
  for await (const part of partsOf(blobs, { key: _, ...artifact })) {
    hash.update(part);
    bytes += part.length;
  }
  return bytes === 0 ? [] : [{ ...artifact, bytes, sha256: hash.digest('hex') }];
}

async function* partsOf(blobs: Blobs, { key }: StoredArtifact): AsyncGenerator<Uint8Array> {
  const keyOf = typeof key === 'string' ? (n: number) => (n === 0 ? key : undefined) : key;
  for (let n = 0; ; n += 1) {
    const name = keyOf(n);
    const bytes = name === undefined ? undefined : await blobs.get(name);
    if (bytes === undefined) return;
    yield bytes;
  }
}
