import type { Hono } from 'hono';
import type { LocalRuntime } from '../../shared/runtime/local.ts';
import { authenticateCaller, httpDoor, requireJson } from '../../shared/runtime/http-door.ts';

const MAX_BODY_BYTES = 1024 * 1024;

/** The Workflow Executions API as Google has it, for official clients and for whoever answers a callback of a workflow by hand. */
export function executions({ ports, identity, workflows }: LocalRuntime): Hono {
  const app = httpDoor(ports, { name: 'executions', maxBodyBytes: MAX_BODY_BYTES, callers: 'our own' });
  app.all('/v1/projects/*', async (context) => {
    await authenticateCaller(identity, context, ['developer', 'operator']);
    // A form of another site sends none.
    if (context.req.method === 'POST') requireJson(context);
    return workflows.answer(context.req.raw);
  });
  return app;
}
