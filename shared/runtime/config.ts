import { z } from 'zod';
import { PenstockError } from '../ports/penstock-error.ts';
import { traceVariables } from './trace-config.ts';
import { whatItTakes } from './what-it-takes.ts';

/** Not one that only a browser or a mail program could open. */
export const webUrl = z.url({ protocol: /^https?$/ });
const port = z.coerce.number().int().min(0).max(65_535);
const usd = z.coerce.number().positive().max(1_000);
const seconds = (byDefault: number) => z.coerce.number().positive().max(86_400).default(byDefault);
const text = z.string().min(1);
/** Also the name of a workflow in Google Cloud. */
export const driverName = z
  .string()
  .regex(/^[a-z](?:[a-z0-9-]{0,58}[a-z0-9])?$/, 'direct, or the name of a workflow such as requirement');

/** GitHub tells no small letters from capitals in them. */
const githubAccounts = z
  .string()
  .regex(
    /^[A-Za-z0-9][A-Za-z0-9_-]*(\s*,\s*[A-Za-z0-9][A-Za-z0-9_-]*)*$/,
    'logins of GitHub users or organisations with commas between them, such as acme,dana',
  )
  .transform((logins) => logins.split(',').map((login) => login.trim().toLowerCase()));

/** Of runs that name none, where its workflow can be run. */
export const DEFAULT_DRIVER = 'requirement';

/** Workflows of ours that are started for something else than a run. */
export const NO_DRIVERS: readonly string[] = ['agent-job', 'decision'];

/** What every platform process takes, wherever it runs. */
export const commonEnvironment = z.object({
  PORT: port.default(8080),
  ENVIRONMENT: text.default('development'),
  LOG_LEVEL: z.enum(['DEBUG', 'INFO', 'WARNING', 'ERROR', 'SILENT']).default('INFO'),
  PENSTOCK_TENANT: z
    .string()
    .regex(/^[a-z][a-z0-9-]{0,38}$/, 'lower-case letters, digits and -, beginning with a letter, at most 39')
    .default('local'),
  PENSTOCK_TOKEN: text.optional(),
  PENSTOCK_BUDGET_USD: usd.default(2),
  PENSTOCK_MAX_PLAN_TASKS: z.coerce.number().int().min(1).max(1_000).default(200),
  PENSTOCK_MAX_PLAN_DEPTH: z.coerce.number().int().min(1).max(1_000).default(20),
  PENSTOCK_RETRY_BASE_SECONDS: seconds(2),
  /** Of a run that names none: `direct`, or the name of a workflow. */
  PENSTOCK_DRIVER: driverName.default('direct'),
  /**
   * Name of the workflow that starts the job of each attempt and follows it to its end: `agent-job`, or one of your own with its
   * argument and its reports. Without it jobs are started directly, and one that dies is noticed when its lease ends.
   */
  PENSTOCK_JOB_WORKFLOW: driverName.optional(),
  ANTHROPIC_API_KEY: text.optional(),
  ANTHROPIC_BASE_URL: webUrl.default('https://api.anthropic.com'),
  GITHUB_APP_ID: z
    .string()
    .regex(/^\d+$/, 'the number that the settings of the GitHub App show as its App ID')
    .optional(),
  GITHUB_PRIVATE_KEY: text.optional(),
  GITHUB_WEBHOOK_SECRET: text.optional(),
  GITHUB_WEBHOOK_SECRET_PREVIOUS: text.optional(),
  /** Whose installations of the GitHub App are bound to PENSTOCK_TENANT by themselves. Without it anybody's: set it where the App is public. */
  PENSTOCK_GITHUB_ACCOUNTS: githubAccounts.optional(),
  GITHUB_API_URL: webUrl.default('https://api.github.com'),
  ...traceVariables,
});

/** The same variables everywhere; what they are by default depends on what a heartbeat or a job costs there. */
export function placeVariables(defaults: { lease: number; renew: number; start: number; jobs: number }) {
  return {
    PENSTOCK_MAX_JOBS: z.coerce.number().int().min(1).max(1_000).default(defaults.jobs),
    PENSTOCK_LEASE_SECONDS: seconds(defaults.lease),
    PENSTOCK_RENEW_SECONDS: seconds(defaults.renew),
    PENSTOCK_START_SECONDS: seconds(defaults.start),
  };
}

/** Every environment variable of the platform on one machine; functions in the cloud have theirs in `google-config.ts`, the job in `job-config.ts`, the CLI in `cli-config.ts`. */
const environment = commonEnvironment
  .extend({
    PENSTOCK_DATA: text.default('.penstock'),
    PENSTOCK_PUBLIC_URL: webUrl.optional(),
    PENSTOCK_SANDBOX: z.enum(['auto', 'bubblewrap', 'none']).default('auto'),
    PENSTOCK_UNSAFE_NO_SANDBOX: z.enum(['0', '1']).default('0'),
    PENSTOCK_SWEEP_SECONDS: seconds(1),
    ...placeVariables({ lease: 20, renew: 5, start: 30, jobs: 4 }),
  })
  .superRefine(checkLease);
export type Config = z.infer<typeof environment>;
/** What `compose-ports.ts` reads, wherever the process runs. */
export type CommonConfig = z.infer<typeof commonEnvironment> &
  Pick<Config, 'PENSTOCK_LEASE_SECONDS' | 'PENSTOCK_RENEW_SECONDS' | 'PENSTOCK_START_SECONDS'>;

type Leases = Pick<Config, 'PENSTOCK_LEASE_SECONDS' | 'PENSTOCK_RENEW_SECONDS'>;

/** Otherwise no attempt would keep its lease. */
export function checkLease(
  { PENSTOCK_LEASE_SECONDS: lease, PENSTOCK_RENEW_SECONDS: renew }: Leases,
  context: Pick<z.RefinementCtx, 'addIssue'>,
): void {
  if (renew < lease || lease <= 0) return;
  const message = `it has to be less than PENSTOCK_LEASE_SECONDS, which is ${lease}`;
  context.addIssue({ code: 'custom', path: ['PENSTOCK_RENEW_SECONDS'], message });
}

/** Names of variables whose values are not repeated. */
const SECRETS = /(?:KEY|SECRET|SECRET_PREVIOUS|TOKEN|TICKET)$/;

/** The environment of this process: the only place that hands it on. */
export function processEnvironment(): Record<string, string | undefined> {
  return process.env;
}

/** All settings, checked once. Throws `config` naming each wrong variable, what it got (never a secret) and what it takes. */
export function readConfig(env: Record<string, string | undefined> = process.env): Config {
  return parseEnvironment(environment, env);
}

/** Variables of an environment by their schema; one that is empty counts as not set. */
export function parseEnvironment<T extends z.ZodType>(
  schema: T,
  env: Record<string, string | undefined>,
): z.infer<T> {
  const given = Object.fromEntries(
    Object.entries(env).filter(([, value]) => value !== undefined && value !== ''),
  );
  const parsed = schema.safeParse(given, { error: whatItTakes });
  if (parsed.success) return parsed.data;
  const reasons = parsed.error.issues.map(({ code, path, message }) => {
    const name = String(path[0]);
    if (given[name] === undefined) return `${name} is not set: ${message}`;
    const got = SECRETS.test(name) ? 'a value' : `'${given[name]}'`;
    // What goes together and what does not says so in a sentence of its own.
    return code === 'custom' ? `${name} got ${got}: ${message}` : `${name} got ${got} and takes ${message}`;
  });
  throw new PenstockError('config', `settings are wrong: ${reasons.join('; ')}`, { reasons });
}
