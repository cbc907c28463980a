import { z } from 'zod';
import { deadLetterView, lettersQuery } from './dead-letter.ts';
import { decisionBody, decisionsQuery, decisionView } from './decision.ts';
import { forkBody } from './fork-body.ts';
import { agentMessage } from './agent-message.ts';
import { acceptedRun, requirementBody } from './requirement-body.ts';
import {
  agentView,
  artifactView,
  attemptView,
  costView,
  diffQuery,
  eventsQuery,
  health,
  listOf,
  listQuery,
  logQuery,
  planView,
  runEvent,
  runsQuery,
  runView,
  statusView,
  tasksQuery,
  taskView,
} from './run-view.ts';
import { steeringBody, steeringView } from './steering.ts';
import { taskRun, taskRunBody } from './task-run.ts';
import { tenantBody, tenantView } from './tenant.ts';

/** One public route. A path parameter stands in braces. */
export interface Operation {
  function: 'api' | 'intake' | 'webhooks';
  method: 'get' | 'post' | 'put' | 'delete';
  path: string;
  summary: string;
  query?: z.ZodObject;
  headers?: Record<string, string>;
  body?: z.ZodType;
  status: number;
  /** A schema of JSON, or what stands under each media type; `null`: text. */
  answer: z.ZodType | { mediaTypes: Record<string, z.ZodType | null> };
}

const idempotencyKey = { 'Idempotency-Key': 'the same key with the same body is the same request' };
const text = (type: string) => ({ mediaTypes: { [type]: null } });

const webhooks: Operation[] = [
  {
    function: 'webhooks',
    method: 'post',
    path: '/webhooks/github',
    summary: 'An event from GitHub, signed over its raw body',
    headers: {
      'X-Hub-Signature-256': 'HMAC of the raw body',
      'X-GitHub-Delivery': 'id of the delivery',
      'X-GitHub-Event': 'name of the event',
    },
    body: z.looseObject({}),
    status: 202,
    answer: z.looseObject({}),
  },
];

const intake: Operation[] = [
  {
    function: 'intake',
    method: 'post',
    path: '/api/requirements',
    summary: 'Submits a requirement',
    headers: idempotencyKey,
    body: requirementBody,
    status: 202,
    answer: acceptedRun,
  },
  {
    function: 'intake',
    method: 'post',
    path: '/api/v1/pm/tasks',
    summary: 'Submits one task as a TaskRun; its name again answers the one that is there',
    body: taskRunBody,
    status: 202,
    answer: taskRun,
  },
];

/** A route that reads: what most of them are. */
function read(
  path: string,
  summary: string,
  answer: Operation['answer'],
  more: Partial<Operation> = {},
): Operation {
  return { function: 'api', method: 'get', path, summary, status: 200, answer, ...more };
}

/** A route that asks something of a run. */
function control(
  verb: string,
  summary: string,
  more: Pick<Operation, 'answer'> & Partial<Operation>,
): Operation {
  const path = `/api/runs/{id}/${verb}`;
  return { function: 'api', method: 'post', path, summary, body: z.looseObject({}), status: 202, ...more };
}

const attempt = '/api/runs/{id}/tasks/{task}/attempts/{n}';

const runs: Operation[] = [
  read('/api/runs', 'Runs, newest first', listOf(runView), { query: runsQuery }),
  read('/api/runs/{id}', 'One run', runView),
  read('/api/runs/{id}/plan', 'Its plan', planView),
  read('/api/runs/{id}/cost', 'What it has spent, by task', costView),
  read('/api/runs/{id}/diff', 'What it changed, as a unified diff', text('text/plain'), { query: diffQuery }),
  read('/api/runs/{id}/tasks', 'Its tasks, by id', listOf(taskView), { query: listQuery }),
  read('/api/runs/{id}/tasks/{task}/attempts', 'The attempts of a task', listOf(attemptView)),
  read(`${attempt}/log`, 'What the agent said, ran and read, for people', text('text/plain'), {
    query: logQuery,
  }),
  read(
    `${attempt}/transcript`,
    'The same with everything in it, one JSON object per line',
    text('application/x-ndjson'),
    {
      query: logQuery,
    },
  ),
  read(
    '/api/runs/{id}/events',
    'What happened to the run, live until it has ended; 204: there is nothing more to come',
    { mediaTypes: { 'text/event-stream': null, 'application/json': listOf(runEvent) } },
    { query: eventsQuery, headers: { 'Last-Event-ID': 'number of the last event that you have' } },
  ),
  read('/api/runs/{id}/artifacts', 'What its ended attempts stored', listOf(artifactView), {
    query: listQuery,
  }),
  read('/api/runs/{id}/artifacts/{artifactId}', 'The bytes of an artifact', {
    mediaTypes: { 'text/plain': null, 'application/json': null, 'application/x-ndjson': null },
  }),
  control('messages', 'Says something to its agents: each attempt reads it once', {
    headers: idempotencyKey,
    body: steeringBody,
    answer: steeringView,
  }),
  read('/api/runs/{id}/messages', 'What its agents said to each other, oldest first', listOf(agentMessage), {
    query: listQuery,
  }),
  control('cancel', 'Asks the run to stop; repeating it is fine', { answer: runView }),
  control('pause', 'No new attempt and no new stage begins until it is resumed; repeating it is fine', {
    answer: runView,
  }),
  control('resume', 'Lets a paused run go on; repeating it is fine', { answer: runView }),
  control('retry', 'A new run in place of one that has ended, which takes over what succeeded', {
    headers: idempotencyKey,
    answer: acceptedRun,
  }),
  control('fork', 'A new run from a chosen task: it and everything behind it are done again', {
    headers: idempotencyKey,
    body: forkBody,
    answer: acceptedRun,
  }),
];

const tenant: Operation[] = [
  read('/api/tasks', 'Tasks of one run, or the live ones of the newest runs', listOf(taskView), {
    query: tasksQuery,
  }),
  read('/api/v1/taskruns/{name}', 'A TaskRun by its name', taskRun),
  {
    function: 'api',
    method: 'delete',
    path: '/api/v1/taskruns/{name}',
    summary: 'Deletes a TaskRun with all its runs, files and records; it is gone when its finalizers are',
    status: 202,
    answer: taskRun,
  },
  read('/api/status', 'Runs by stage', statusView),
  read('/api/agents', 'The agents that tasks can name, their health and their load', listOf(agentView)),
  read('/health', 'Whether this function can reach its store', health),
  read('/openapi.json', 'This document', z.looseObject({})),
];

const deadLetters: Operation[] = [
  read('/api/dead-letters', 'What was given up, newest first', listOf(deadLetterView), {
    query: lettersQuery,
  }),
  read('/api/dead-letters/{id}', 'One of them', deadLetterView),
  {
    function: 'api',
    method: 'post',
    path: '/api/dead-letters/{id}/replay',
    summary: 'Publishes its message again, or forks a new run from its task; three times at most',
    headers: idempotencyKey,
    body: z.looseObject({}),
    status: 202,
    answer: deadLetterView,
  },
  {
    function: 'api',
    method: 'post',
    path: '/api/dead-letters/{id}/discard',
    summary: 'Puts it aside for good; repeating it is fine',
    body: z.looseObject({}),
    status: 202,
    answer: deadLetterView,
  },
];

const decisions: Operation[] = [
  read('/api/decisions', 'What persons are asked, newest first', listOf(decisionView), {
    query: decisionsQuery,
  }),
  read('/api/decisions/{id}', 'One of them', decisionView),
  {
    function: 'api',
    method: 'post',
    path: '/api/decisions',
    summary: 'Answers one; the same answer again is answered the same',
    body: decisionBody,
    status: 200,
    answer: decisionView,
  },
];

const ifMatch = { 'If-Match': 'ETag of what the change was made on' };
const administration: Operation[] = [
  read('/api/tenants/{id}', 'Licence, settings and members of your tenant, for team admins', tenantView),
  {
    function: 'api',
    method: 'put',
    path: '/api/tenants/{id}',
    summary:
      'Replaces them; in force within five seconds, for new runs and for those under way. Members stay when none are given',
    headers: ifMatch,
    body: tenantBody,
    status: 200,
    answer: tenantView,
  },
];

const pages: Operation[] = [
  read('/', 'The newest runs, as a page', text('text/html')),
  read('/runs', 'Runs, as a page', text('text/html'), { query: runsQuery }),
  read('/runs/{id}', 'One run, as a page', text('text/html'), {
    query: z.object({ log: z.string().max(140).optional() }),
  }),
];

/** All public routes, whichever function answers them. Routes of the platform's own identities are not among them. */
export const operations: readonly Operation[] = [
  ...webhooks,
  ...intake,
  ...runs,
  ...tenant,
  ...deadLetters,
  ...decisions,
  ...administration,
  ...pages,
];
