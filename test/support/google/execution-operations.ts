import { z } from 'zod';
import type { Operation } from './google-server.ts';

const LEVELS = ['CALL_LOG_LEVEL_UNSPECIFIED', 'LOG_ALL_CALLS', 'LOG_ERRORS_ONLY', 'LOG_NONE'];
/** What a caller may set; what Google sets itself is taken and left out of account. */
const createBody = z.strictObject({
  argument: z.string().optional(),
  callLogLevel: z.enum(LEVELS).optional(),
  labels: z.record(z.string().regex(/^[a-z][a-z0-9_-]{0,62}$/), z.string().max(63)).optional(),
  name: z.unknown().optional(),
  startTime: z.unknown().optional(),
  endTime: z.unknown().optional(),
  duration: z.unknown().optional(),
  state: z.unknown().optional(),
  result: z.unknown().optional(),
  error: z.unknown().optional(),
  workflowRevisionId: z.unknown().optional(),
  status: z.unknown().optional(),
  stateError: z.unknown().optional(),
});
export type CreateBody = z.infer<typeof createBody>;

const WORKFLOW = '(?<workflow>projects/[^/]+/locations/[^/]+/workflows/[^/:]+)';

/** What answers each of them. */
type Answers = Record<'create' | 'list' | 'get' | 'cancel', Operation['answer']>;

/** The methods of the Workflow Executions API v1. */
export function executionOperations({ create, list, get, cancel }: Answers): Operation[] {
  const all = new RegExp(`^/v1/${WORKFLOW}/executions$`);
  const one = `^/v1/(?<name>${WORKFLOW}/executions/[^/:]+)`;
  return [
    {
      name: 'executions.create',
      method: 'POST',
      path: all,
      body: createBody,
      permissions: ['workflows.executions.create'],
      answer: create,
    },
    {
      name: 'executions.list',
      method: 'GET',
      path: all,
      query: ['pageSize', 'pageToken', 'view', 'filter', 'orderBy'],
      permissions: ['workflows.executions.list'],
      answer: list,
    },
    {
      name: 'executions.get',
      method: 'GET',
      path: new RegExp(`${one}$`),
      query: ['view'],
      permissions: ['workflows.executions.get'],
      answer: get,
    },
    {
      name: 'executions.cancel',
      method: 'POST',
      path: new RegExp(`${one}:cancel$`),
      permissions: ['workflows.executions.cancel'],
      answer: cancel,
    },
  ];
}
