import { sweep as sweepOnce } from '../../shared/core/sweep.ts';
import type { HttpFunction } from '../../shared/runtime/functions.ts';
import { authenticateCaller, httpDoor } from '../../shared/runtime/http-door.ts';

const MAX_BODY_BYTES = 64 * 1024;

/** Called each minute by Cloud Scheduler, by a timer in local mode: what was lost is asked for again. */
export const sweep: HttpFunction = {
  name: 'sweep',
  app: ({ ports, identity }) => {
    const app = httpDoor(ports, { name: 'sweep', maxBodyBytes: MAX_BODY_BYTES, callers: 'our own' });
    app.post('/internal/sweep', async (context) => {
      await authenticateCaller(identity, context, ['platform', 'operator']);
      return context.json(await sweepOnce(ports));
    });
    return app;
  },
};
