import { Hono } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { PenstockError } from '../../shared/ports/penstock-error.ts';
import type { HttpFunction, Runtime } from '../../shared/runtime/functions.ts';
import { problemResponse } from '../../shared/runtime/problem-response.ts';
import { traceRequests } from '../../shared/runtime/trace-requests.ts';
import type { ApiEnv } from './api-env.ts';
import { addArtifactRoutes } from './artifact-routes.ts';
import { authenticate } from './authenticate.ts';
import { addDeadLetterRoutes } from './dead-letter-routes.ts';
import { addDecisionRoutes } from './decision-routes.ts';
import { addEventRoutes } from './event-routes.ts';
import { addLogRoutes } from './log-routes.ts';
import { addMessageRoutes } from './message-routes.ts';
import { addPageRoutes } from './page-routes.ts';
import { addRunRoutes } from './run-routes.ts';
import { addStatusRoutes } from './status-routes.ts';
import { addTaskRoutes } from './task-routes.ts';
import { addTenantRoutes } from './tenant-routes.ts';

/** No route of this function takes more than a few words. */
const MAX_BODY_BYTES = 64 * 1024;

/** Reads, control, live events and pages: what people and programs see of their tenant's runs. */
export const api: HttpFunction = { name: 'api', app: createApi };

function createApi(runtime: Runtime): Hono {
  const { log, trace } = runtime.ports;
  const routes = new Hono<ApiEnv>();
  routes.use(authenticate(runtime));
  routes.use(bodyLimit({ maxSize: MAX_BODY_BYTES, onError: tooLarge }));
  for (const add of groups) add(routes, runtime);
  const app = new Hono();
  app.use(traceRequests(trace, { name: 'api', callers: 'anybody' }));
  app.onError((error, context) => problemResponse(error, context, log));
  app.notFound((context) => {
    const detail = `there is no ${context.req.method} ${context.req.path}; GET /openapi.json lists the routes`;
    return problemResponse(new PenstockError('not_found', detail), context, log);
  });
  return app.route('/', routes);
}

const groups = [
  addRunRoutes,
  addTaskRoutes,
  addLogRoutes,
  addEventRoutes,
  addArtifactRoutes,
  addStatusRoutes,
  addDeadLetterRoutes,
  addDecisionRoutes,
  addTenantRoutes,
  addMessageRoutes,
  addPageRoutes,
];

function tooLarge(): never {
  throw new PenstockError('too_large', `a body has at most ${MAX_BODY_BYTES} bytes here`);
}
