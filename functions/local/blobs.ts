import type { Hono } from 'hono';
import { verifySignedUrl } from '../../shared/adapters/local/signed-url.ts';
import { PenstockError } from '../../shared/ports/penstock-error.ts';
import type { LocalRuntime } from '../../shared/runtime/local.ts';
import { httpDoor } from '../../shared/runtime/http-door.ts';

const MAX_UPLOAD_BYTES = 64 * 1024 * 1024;

/** What Cloud Storage does with signed URLs: one key, one method, a short time, no other credential. */
export function blobs({ ports, blobSecret }: LocalRuntime): Hono {
  const app = httpDoor(ports, { name: 'blobs', maxBodyBytes: MAX_UPLOAD_BYTES, callers: 'our own' });
  const keyOf = (url: string, method: string): string => {
    const check = verifySignedUrl({ secret: blobSecret, url, method, now: ports.clock.now() });
    if (check.outcome === 'valid') return check.key;
    throw new PenstockError('forbidden', `this signed URL is ${check.reason}; ask for a new one`);
  };
  app.get('/blobs/*', async (context) => {
    const key = keyOf(context.req.url, 'GET');
    const bytes = await ports.blobs.get(key);
    if (bytes === undefined) throw new PenstockError('not_found', `there is no blob ${key}`);
    return context.body(new Uint8Array(bytes), 200, { 'content-type': 'application/octet-stream' });
  });
  app.put('/blobs/*', async (context) => {
    const key = keyOf(context.req.url, 'PUT');
    await ports.blobs.put(key, new Uint8Array(await context.req.arrayBuffer()));
    return context.body(null, 200);
  });
  return app;
}
