import { createHash } from 'node:crypto';
import type { JobRequest } from '../../../shared/ports/job-starter.ts';
import { proposed } from '../../runtime/seed.ts';
import { type Platform, type PlatformOptions, startPlatform } from '../../support/platform.ts';
import { createSampleRepository, type SampleRepository } from '../../support/sample-repository.ts';

export interface Answer {
  status: number;
  type: string;
  body: {
    token?: string;
    brief?: Record<string, unknown>;
    code?: string;
    detail?: string;
    errors?: { message: string }[];
    answer?: string;
    outcome?: string;
    url?: string;
    key?: string;
  };
}

/** The whole platform, whose jobs are played by the test: every job that it wants started is put aside with its ticket. */
export interface JobStage {
  platform: Platform;
  repository: SampleRepository;
  runId: string;
  /** The next job that the platform asks for. */
  nextJob(): Promise<JobRequest>;
  call(path: string, body: unknown, token?: string): Promise<Answer>;
  /** A job that has claimed its attempt. */
  claim(): Promise<{ job: JobRequest; token: string }>;
  stop(): Promise<void>;
}

export async function openJobStage(
  options: PlatformOptions & { budgetUsd?: number } = {},
): Promise<JobStage> {
  const jobs: JobRequest[] = [];
  const repository = createSampleRepository({
    'README.md': 'A sample.\n',
    'src/a.js': 'export const a = 1;\n',
  });
  const platform = await startPlatform({
    ...options,
    decorate: (ports) => ({
      ...ports,
      jobs: {
        ...ports.jobs,
        start: (job) => {
          jobs.push(job);
          return Promise.resolve('started');
        },
      },
    }),
  });
  const { body } = await platform.post('/api/requirements', {
    requirement: 'Change a',
    repository: repository.folder,
    plan: { tasks: [proposed('build', { agent: 'backend_developer' })] },
    ...(options.budgetUsd === undefined ? {} : { budgetUsd: options.budgetUsd }),
  });
  const call = (path: string, content: unknown, token?: string) =>
    callAttempts(platform.url, path, content, token);
  const nextJob = async (): Promise<JobRequest> => {
    for (let tries = 0; tries < 300; tries += 1) {
      const job = jobs.shift();
      if (job !== undefined) return job;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    throw new Error('the platform asked for no job');
  };
  return {
    platform,
    repository,
    runId: String(body['runId']),
    nextJob,
    call,
    claim: async () => {
      const job = await nextJob();
      const { body: answer } = await call('/claim', { ticket: job.ticket });
      return { job, token: answer.token ?? '' };
    },
    stop: async () => {
      await platform.stop();
      repository.remove();
    },
  };
}

async function callAttempts(url: string, path: string, body: unknown, token?: string): Promise<Answer> {
  const response = await fetch(`${url}/internal/attempts${path}`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
    },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
  const text = await response.text();
  const type = response.headers.get('content-type') ?? '';
  return {
    status: response.status,
    type,
    body: type.includes('json') ? (JSON.parse(text) as Answer['body']) : {},
  };
}

export const sha = (text: string): string => createHash('sha256').update(text).digest('hex');

interface Entry {
  path: string;
  mode: string | null;
  blob: string | null;
  bytes: number;
  before: null;
}

export function newFile(path: string, text = 'x\n', more: Partial<Entry> = {}): Entry {
  return { path, mode: '100644', blob: sha(text), bytes: Buffer.byteLength(text), before: null, ...more };
}

/** A change set with its contents, as a job uploads it. */
export function bundleOf(entries: Entry[], texts: string[] = ['x\n']): object {
  const contents = Object.fromEntries(texts.map((text) => [sha(text), Buffer.from(text).toString('base64')]));
  return {
    changeSet: { v: 1, baseSha: 'a'.repeat(40), entries, added: 1, deleted: 0, checks: [] },
    contents,
  };
}
