import { z } from 'zod';
import { PenstockError } from '../ports/penstock-error.ts';

const port = z.coerce.number().int().min(0).max(65_535);
const usd = z.coerce.number().positive().max(1_000);
const seconds = (byDefault: number) => z.coerce.number().positive().max(86_400).default(byDefault);
const text = z.string().min(1);

/** Every environment variable of a platform process; the job has its own in `job-config.ts`, the CLI in `cli-config.ts`. */
const environment = z.object({
  PORT: port.default(8080),
  ENVIRONMENT: text.default('development'),
  LOG_LEVEL: z.enum(['DEBUG', 'INFO', 'WARNING', 'ERROR', 'SILENT']).default('INFO'),
  PENSTOCK_DATA: text.default('.penstock'),
  PENSTOCK_TENANT: z
    .string()
    .regex(/^[a-z][a-z0-9-]{0,38}$/)
    .default('local'),
  PENSTOCK_TOKEN: text.optional(),
  PENSTOCK_PUBLIC_URL: z.url().optional(),
  PENSTOCK_BUDGET_USD: usd.default(2),
  PENSTOCK_MAX_PLAN_TASKS: z.coerce.number().int().min(1).max(1_000).default(200),
  PENSTOCK_MAX_PLAN_DEPTH: z.coerce.number().int().min(1).max(1_000).default(20),
  PENSTOCK_MAX_JOBS: z.coerce.number().int().min(1).max(100).default(4),
  PENSTOCK_SANDBOX: z.enum(['auto', 'bubblewrap', 'none']).default('auto'),
  PENSTOCK_UNSAFE_NO_SANDBOX: z.enum(['0', '1']).default('0'),
  PENSTOCK_LEASE_SECONDS: seconds(20),
  PENSTOCK_RENEW_SECONDS: seconds(5),
  PENSTOCK_START_SECONDS: seconds(30),
  PENSTOCK_SWEEP_SECONDS: seconds(1),
  PENSTOCK_RETRY_BASE_SECONDS: seconds(2),
  ANTHROPIC_API_KEY: text.optional(),
  ANTHROPIC_BASE_URL: z.url().default('https://api.anthropic.com'),
  GITHUB_APP_ID: text.optional(),
  GITHUB_PRIVATE_KEY: text.optional(),
  GITHUB_WEBHOOK_SECRET: text.optional(),
  GITHUB_WEBHOOK_SECRET_PREVIOUS: text.optional(),
  GITHUB_API_URL: z.url().default('https://api.github.com'),
});
export type Config = z.infer<typeof environment>;

const SECRETS = /KEY|SECRET|TOKEN/;

/** The environment of this process: the only place that hands it on. */
export function processEnvironment(): Record<string, string | undefined> {
  return process.env;
}

/** All settings, checked once. Throws `config` naming each wrong variable, what it got (never a secret) and what it takes. */
export function readConfig(env: Record<string, string | undefined> = process.env): Config {
  const given = Object.fromEntries(
    Object.entries(env).filter(([, value]) => value !== undefined && value !== ''),
  );
  const parsed = environment.safeParse(given);
  if (parsed.success) return parsed.data;
  const reasons = parsed.error.issues.map(({ path, message }) => {
    const name = path.join('.');
    const got = SECRETS.test(name) ? 'a value' : `'${given[name] ?? ''}'`;
    return `${name} got ${got}: ${message}`;
  });
  throw new PenstockError('config', `settings are wrong: ${reasons.join('; ')}`, { reasons });
}
