import { resolve } from 'node:path';
import { z } from 'zod';
import { parseEnvironment, webUrl } from './config.ts';
import { type TraceConfig, traceVariables } from './trace-config.ts';

const flag = z
  .enum(['0', '1', 'false', 'true'])
  .default('0')
  .transform((value) => value === '1' || value === 'true');

const BY_PLATFORM = 'what the platform gives it when it starts an attempt; do not run this job by hand';

const jobEnvironment = z.object({
  PENSTOCK_ATTEMPTS_URL: z.url({
    protocol: /^https?$/,
    error: 'the URL of the attempts function; Terraform sets it on the job',
  }),
  /** Both are overrides of each execution. */
  PENSTOCK_TICKET: z.string({ error: BY_PLATFORM }).min(20, BY_PLATFORM).max(200, BY_PLATFORM),
  /** As `attemptPath` writes it: for people and for finding the execution again. */
  PENSTOCK_ATTEMPT: z.string({ error: BY_PLATFORM }).max(200, BY_PLATFORM),
  PENSTOCK_DATA: z.string().min(1).default('/workspace'),
  PENSTOCK_SANDBOX: z.enum(['auto', 'bubblewrap', 'none']).default('auto'),
  PENSTOCK_UNSAFE_NO_SANDBOX: flag,
  /** Where `attempts` is a private Cloud Run service: its URL, for which the job gets ID tokens. */
  PENSTOCK_ATTEMPTS_AUDIENCE: webUrl.optional(),
  PENSTOCK_TRACEPARENT: z.string().max(200).optional(),
  GOOGLE_CLOUD_PROJECT: z.string().min(1).optional(),
  ...traceVariables,
});

export interface JobConfig {
  attemptsUrl: string;
  ticket: string;
  attempt: string;
  /** Whom the job's ID tokens are for; absent where the attempts API takes everybody with a ticket. */
  audience: string | undefined;
  /** Absolute. */
  dataFolder: string;
  sandbox: 'auto' | 'bubblewrap' | 'none';
  isUnsafeAllowed: boolean;
  /** Of the message that started it. */
  traceparent: string | undefined;
  trace: TraceConfig;
  /** Google Cloud project that its log entries link their trace in. */
  project: string | undefined;
}

/** The job's settings. Throws `config` naming every variable that is wrong; never shows the ticket. */
export function readJobConfig(environment: Record<string, string | undefined> = process.env): JobConfig {
  const {
    PENSTOCK_ATTEMPTS_URL: attemptsUrl,
    PENSTOCK_TICKET: ticket,
    PENSTOCK_ATTEMPT: attempt,
    PENSTOCK_ATTEMPTS_AUDIENCE: audience,
    PENSTOCK_DATA: folder,
    PENSTOCK_SANDBOX: sandbox,
    PENSTOCK_UNSAFE_NO_SANDBOX: isUnsafeAllowed,
    PENSTOCK_TRACEPARENT: traceparent,
    GOOGLE_CLOUD_PROJECT: project,
    ...trace
  } = parseEnvironment(jobEnvironment, environment);
  const dataFolder = resolve(folder);
  return {
    attemptsUrl,
    ticket,
    attempt,
    audience,
    dataFolder,
    sandbox,
    isUnsafeAllowed,
    traceparent,
    project,
    trace,
  };
}
