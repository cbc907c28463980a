import { type Context, Hono } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { getConnInfo } from '@hono/node-server/conninfo';
import { requirementBody } from '../../shared/messages/requirement-body.ts';
import { taskRunBody } from '../../shared/messages/task-run.ts';
import { submitRequirement } from '../../shared/core/intake/submit-requirement.ts';
import { submitTaskRun } from '../../shared/core/intake/submit-task-run.ts';
import { taskRunView } from '../../shared/core/views/task-run-view.ts';
import type { Run } from '../../shared/core/run.ts';
import { readTasks } from '../../shared/core/run-tasks.ts';
import { PenstockError } from '../../shared/ports/penstock-error.ts';
import type { Caller } from '../../shared/ports/identity.ts';
import type { HttpFunction, Runtime } from '../../shared/runtime/functions.ts';
import { problemResponse } from '../../shared/runtime/problem-response.ts';

/** A plan of 200 tasks with long instructions fits; a novel does not. */
const MAX_BODY_BYTES = 4 * 1024 * 1024;

/** Submissions of internal tools and the CLI: verify → record → publish → 202. Calls nobody. */
export const intake: HttpFunction = {
  name: 'intake',
  app: (runtime) => {
    const { ports } = runtime;
    const app = new Hono();
    app.use(bodyLimit({ maxSize: MAX_BODY_BYTES, onError: tooLarge }));
    app.post('/api/requirements', async (context) => {
      const caller = await authenticate(runtime, context);
      const body = requirementBody.parse(await readJson(context));
      const key = context.req.header('idempotency-key');
      const { run, duplicate } = await submitRequirement(ports, caller, body, key);
      return context.json(acceptedRun(run, duplicate), 202);
    });
    app.post('/api/v1/pm/tasks', async (context) => {
      const caller = await authenticate(runtime, context);
      const { run, duplicate } = await submitTaskRun(ports, caller, taskRunBody.parse(await readJson(context)));
      return context.json(taskRunView(run, duplicate ? await readTasks(ports.store, run.tenant, run.id) : []), 202);
    });
    app.onError((error, context) => problemResponse(error, context, ports.log));
    return app;
  },
};

function acceptedRun(run: Run, duplicate: boolean) {
  const links = { run: `/api/runs/${run.id}`, page: `/runs/${run.id}`, events: `/api/runs/${run.id}/events` };
  return { runId: run.id, stage: run.stage, duplicate, links };
}

function authenticate({ identity }: Runtime, context: Context): Promise<Caller> {
  const incoming: unknown = (context.env as Record<string, unknown> | undefined)?.['incoming'];
  const remoteAddress = incoming === undefined ? undefined : getConnInfo(context).remote.address;
  return identity.authenticate({ headers: context.req.raw.headers, remoteAddress });
}

/** Only JSON: a form of another site cannot send it without being asked first. */
async function readJson(context: Context): Promise<unknown> {
  if (!/^application\/json\b/i.test(context.req.header('content-type') ?? '')) {
    throw new PenstockError('invalid', 'send a JSON body with Content-Type: application/json');
  }
  try {
    return JSON.parse(await context.req.text(), refuseHalfCharacters);
  } catch (cause) {
    throw new PenstockError('invalid', 'the body is not JSON in valid Unicode', { cause });
  }
}

/** JSON can spell half a surrogate pair, which no record can hold. */
function refuseHalfCharacters(key: string, value: unknown): unknown {
  if (key.isWellFormed() && (typeof value !== 'string' || value.isWellFormed())) return value;
  throw new SyntaxError('half a surrogate pair');
}

function tooLarge(): never {
  throw new PenstockError('too_large', `a submission has at most ${MAX_BODY_BYTES} bytes`);
}
