import { getConnInfo } from '@hono/node-server/conninfo';
import { type Context, Hono } from 'hono';
import { sweep as sweepOnce } from '../../shared/core/sweep.ts';
import type { HttpFunction } from '../../shared/runtime/functions.ts';
import { problemResponse } from '../../shared/runtime/problem-response.ts';

/** Called each minute by Cloud Scheduler, by a timer in local mode: what was lost is asked for again. */
export const sweep: HttpFunction = {
  name: 'sweep',
  app: ({ ports, identity }) => {
    const app = new Hono();
    app.post('/internal/sweep', async (context) => {
      await identity.authenticate({ headers: context.req.raw.headers, remoteAddress: remoteAddressOf(context) });
      return context.json(await sweepOnce(ports));
    });
    app.onError((error, context) => problemResponse(error, context, ports.log));
    return app;
  },
};

/** Absent where no socket stands behind the request. */
function remoteAddressOf(context: Context): string | undefined {
  const incoming: unknown = (context.env as Record<string, unknown> | undefined)?.['incoming'];
  return incoming === undefined ? undefined : getConnInfo(context).remote.address;
}
