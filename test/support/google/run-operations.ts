import { z } from 'zod';
import type { Operation } from './google-server.ts';

const envVar = z.strictObject({
  name: z.string().min(1).max(32_768),
  value: z.string().max(32_768).optional(),
});
const runBody = z.strictObject({
  validateOnly: z.boolean().optional(),
  etag: z.string().optional(),
  overrides: z
    .strictObject({
      containerOverrides: z
        .array(
          z.strictObject({
            name: z.string().optional(),
            args: z.array(z.string()).optional(),
            env: z.array(envVar).optional(),
            clearArgs: z.boolean().optional(),
          }),
        )
        .max(1)
        .optional(),
      taskCount: z.int().optional(),
      timeout: z
        .string()
        .regex(/^\d+s$/)
        .optional(),
    })
    .optional(),
});
export type RunBody = z.infer<typeof runBody>;
const cancelBody = z.strictObject({ validateOnly: z.boolean().optional(), etag: z.string().optional() });

const JOB = '(?<job>projects/[^/]+/locations/[^/]+/jobs/[^/:]+)';

/** What answers each of them. */
type Answers = Record<'run' | 'list' | 'get' | 'cancel', Operation['answer']>;

/** The methods of Cloud Run's Admin API v2 by which jobs are run. */
export function runOperations({ run, list, get, cancel }: Answers): Operation[] {
  const one = `(?<name>${JOB}/executions/[^/:]+)`;
  return [
    {
      name: 'jobs.run',
      method: 'POST',
      path: new RegExp(`^/v2/${JOB}:run$`),
      body: runBody,
      permissions: ['run.jobs.run', 'run.jobs.runWithOverrides'],
      answer: run,
    },
    {
      name: 'executions.list',
      method: 'GET',
      path: new RegExp(`^/v2/${JOB}/executions$`),
      query: ['pageSize', 'pageToken', 'showDeleted'],
      permissions: ['run.executions.list'],
      answer: list,
    },
    {
      name: 'executions.get',
      method: 'GET',
      path: new RegExp(`^/v2/${one}$`),
      permissions: ['run.executions.get'],
      answer: get,
    },
    {
      name: 'executions.cancel',
      method: 'POST',
      path: new RegExp(`^/v2/${one}:cancel$`),
      body: cancelBody,
      permissions: ['run.executions.cancel'],
      answer: cancel,
    },
  ];
}
