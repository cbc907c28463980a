import { requirementBody } from '../../shared/messages/requirement-body.ts';
import { taskRunBody } from '../../shared/messages/task-run.ts';
import { submitRequirement } from '../../shared/core/intake/submit-requirement.ts';
import { submitTaskRun } from '../../shared/core/intake/submit-task-run.ts';
import { taskRunView } from '../../shared/core/views/task-run-view.ts';
import type { Run } from '../../shared/core/run.ts';
import { readTasks } from '../../shared/core/run-tasks.ts';
import type { HttpFunction } from '../../shared/runtime/functions.ts';
import { authenticateCaller, httpDoor, readJson, requireJson } from '../../shared/runtime/http-door.ts';

/** A plan of 200 tasks with long instructions fits; a novel does not. */
const MAX_BODY_BYTES = 4 * 1024 * 1024;

/** Submissions of internal tools and the CLI: verify → record → publish → 202. Calls nobody. */
export const intake: HttpFunction = {
  name: 'intake',
  app: ({ ports, identity }) => {
    const app = httpDoor(ports, { name: 'intake', maxBodyBytes: MAX_BODY_BYTES, callers: 'anybody' });
    app.post('/api/requirements', async (context) => {
      const caller = await authenticateCaller(identity, context, ['developer']);
      requireJson(context);
      const body = requirementBody.parse(await readJson(context));
      const key = context.req.header('idempotency-key');
      const { run, duplicate } = await submitRequirement(ports, caller, body, key);
      return context.json(acceptedRun(run, duplicate), 202);
    });
    app.post('/api/v1/pm/tasks', async (context) => {
      const caller = await authenticateCaller(identity, context, ['developer']);
      requireJson(context);
      const { run, duplicate } = await submitTaskRun(
        ports,
        caller,
        taskRunBody.parse(await readJson(context)),
      );
      return context.json(
        taskRunView(run, duplicate ? await readTasks(ports.store, run.tenant, run.id) : []),
        202,
      );
    });
    return app;
  },
};

function acceptedRun(run: Run, duplicate: boolean) {
  const links = { run: `/api/runs/${run.id}`, page: `/runs/${run.id}`, events: `/api/runs/${run.id}/events` };
  return { runId: run.id, stage: run.stage, duplicate, links };
}
