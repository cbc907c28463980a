import type { Context } from 'hono';
import { z } from 'zod';
import {
  attemptResult,
  claimRequest,
  logRequest,
  proposal,
  renewRequest,
} from '../../shared/messages/attempt-api.ts';
import { finishJob, propose, storeTranscript } from '../../shared/core/create-attempt.ts';
import { type Fence, parseToken } from '../../shared/core/fence.ts';
import { openJob } from '../../shared/core/open-job.ts';
import { passThrough } from '../../shared/core/pass-through.ts';
import { requireHeld } from '../../shared/core/require-held.ts';
import { renewAttempt } from '../../shared/core/renew-attempt.ts';
import { PenstockError } from '../../shared/ports/penstock-error.ts';
import type { HttpFunction } from '../../shared/runtime/functions.ts';
import { httpDoor, readJson } from '../../shared/runtime/http-door.ts';

/** A model request carries a whole conversation; everything else is far smaller. */
const MAX_BODY_BYTES = 32 * 1024 * 1024;

/** The whole world of a job. A ticket buys a token, and the token opens nothing but its own attempt. */
export const attempts: HttpFunction = {
  name: 'attempts',
  app: ({ ports, gateway }) => {
    const app = httpDoor(ports, {
      name: 'attempts',
      maxBodyBytes: MAX_BODY_BYTES,
      callers: 'our own',
    }).basePath('/internal/attempts');
    app.post('/claim', async (context) =>
      context.json(await openJob(ports, (await read(context, claimRequest)).ticket)),
    );
    app.post('/renew', async (context) => {
      const fence = fenceOf(context);
      const { seen } = await read(context, renewRequest);
      return context.json(await renewAttempt(ports, fence, seen));
    });
    app.post('/log', async (context) => {
      const { n, lines } = await read(context, logRequest);
      await storeTranscript(ports, fenceOf(context), n, lines);
      return context.json({});
    });
    app.post('/propose', async (context) =>
      context.json(await propose(ports, fenceOf(context), await read(context, proposal))),
    );
    app.post('/finish', async (context) => {
      const outcome = await finishJob(ports, fenceOf(context), await read(context, attemptResult));
      return context.json({ outcome });
    });
    app.post('/model/v1/messages', async (context) => {
      const request = { body: await readJson(context), headers: context.req.raw.headers };
      // Before anything reaches the provider with our key, even a count of tokens.
      await requireHeld(ports, fenceOf(context));
      const { status, headers, body } = await passThrough(ports, gateway, fenceOf(context), request);
      return new Response(body, { status, headers });
    });
    app.post('/model/v1/messages/count_tokens', async (context) => {
      await requireHeld(ports, fenceOf(context));
      const body = z.record(z.string(), z.unknown()).parse(await readJson(context));
      return context.json({ input_tokens: await gateway.countTokens(body) });
    });
    return app;
  },
};

/** The token, as a bearer or as the key of a model SDK. Whether it still holds is asked of the record by each use case. */
function fenceOf(context: Context): Fence {
  const bearer = /^Bearer (.+)$/.exec(context.req.header('authorization') ?? '')?.[1];
  const fence = parseToken(bearer ?? context.req.header('x-api-key') ?? '');
  if (fence !== undefined) return fence;
  throw new PenstockError(
    'unauthenticated',
    'send the token of your attempt as Authorization: Bearer …; /claim gives it for a ticket',
  );
}

async function read<T extends z.ZodType>(context: Context, schema: T): Promise<z.infer<T>> {
  return schema.parse(await readJson(context));
}
