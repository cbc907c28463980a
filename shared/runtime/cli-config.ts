import { z } from 'zod';
import { PenstockError } from '../ports/penstock-error.ts';

/** Set to nothing means not set. */
const text = z
  .string()
  .optional()
  .transform((value) => (value === undefined || value.trim() === '' ? undefined : value.trim()));
const url = text.pipe(z.url({ protocol: /^https?$/, error: 'an http or https URL' }).optional());
const flag = text.pipe(
  z
    .enum(['0', '1', 'false', 'true'], { error: '1 or 0' })
    .optional()
    .transform((value) => value === '1' || value === 'true'),
);

const environment = z.object({
  PENSTOCK_URL: url,
  PENSTOCK_TOKEN: text,
  PENSTOCK_DATA: text,
  PENSTOCK_MODEL: text.pipe(
    z
      .string()
      .regex(/^(anthropic|script:.+)$/, 'anthropic or script:FILE')
      .optional(),
  ),
  PENSTOCK_SANDBOX: text.pipe(
    z.enum(['auto', 'bubblewrap', 'none'], { error: 'auto, bubblewrap or none' }).optional(),
  ),
  PENSTOCK_UNSAFE_NO_SANDBOX: flag,
  PENSTOCK_GOOGLE_URL: url,
  ANTHROPIC_API_KEY: text,
  GITHUB_APP_ID: text,
  GITHUB_PRIVATE_KEY: text,
  GITHUB_WEBHOOK_SECRET: text,
  PENSTOCK_GITHUB_ACCOUNTS: text,
});

const GITHUB_APP = ['GITHUB_APP_ID', 'GITHUB_PRIVATE_KEY', 'GITHUB_WEBHOOK_SECRET'] as const;
/** What must never be repeated on a screen, not even in an error. */
const SECRETS = new Set([
  'PENSTOCK_TOKEN',
  'ANTHROPIC_API_KEY',
  'GITHUB_PRIVATE_KEY',
  'GITHUB_WEBHOOK_SECRET',
]);
const MAX_SHOWN_CHARS = 80;

/** What the command line takes from the environment. Keys are here as present or not, never as values. */
export interface CliConfig {
  /** Absent: the default address, where nothing has to answer. */
  url?: string;
  token?: string;
  /** Folder of local runs. @default .penstock */
  dataFolder: string;
  model?: string;
  sandbox: 'auto' | 'bubblewrap' | 'none';
  isUnsafeAllowed: boolean;
  /** Stands in for every API of Google's. */
  googleUrl?: string;
  hasAnthropicKey: boolean;
  /** `accounts`: whose installations are taken; absent: anybody's. */
  githubApp: { set: string[]; missing: string[]; accounts?: string };
}

/** The configuration of one call of `penstock`. Throws `config` with every variable that is wrong, its value and what it takes. */
export function readCliConfig(env: Record<string, string | undefined> = process.env): CliConfig {
  const parsed = environment.safeParse(env);
  if (!parsed.success) throw wrongVariables(parsed.error, env);
  const { data } = parsed;
  const accounts = data.PENSTOCK_GITHUB_ACCOUNTS;
  const isSet = (name: (typeof GITHUB_APP)[number]): boolean => data[name] !== undefined;
  return {
    ...(data.PENSTOCK_URL === undefined ? {} : { url: data.PENSTOCK_URL.replace(/\/+$/, '') }),
    ...(data.PENSTOCK_TOKEN === undefined ? {} : { token: data.PENSTOCK_TOKEN }),
    dataFolder: data.PENSTOCK_DATA ?? '.penstock',
    ...(data.PENSTOCK_MODEL === undefined ? {} : { model: data.PENSTOCK_MODEL }),
    sandbox: data.PENSTOCK_SANDBOX ?? 'auto',
    isUnsafeAllowed: data.PENSTOCK_UNSAFE_NO_SANDBOX,
    ...(data.PENSTOCK_GOOGLE_URL === undefined ? {} : { googleUrl: data.PENSTOCK_GOOGLE_URL }),
    hasAnthropicKey: data.ANTHROPIC_API_KEY !== undefined,
    githubApp: {
      set: GITHUB_APP.filter(isSet),
      missing: GITHUB_APP.filter((name) => !isSet(name)),
      ...(accounts === undefined ? {} : { accounts }),
    },
  };
}

function wrongVariables(error: z.ZodError, env: Record<string, string | undefined>): PenstockError {
  const reasons = error.issues.map((issue) => {
    const name = String(issue.path[0]);
    const value = SECRETS.has(name)
      ? 'a value that is not shown'
      : JSON.stringify((env[name] ?? '').slice(0, MAX_SHOWN_CHARS));
    return `${name} is ${value} and takes ${issue.message}`;
  });
  return new PenstockError('config', reasons[0] ?? 'the environment is not valid', {
    reasons: reasons.slice(1),
  });
}

/** Whether colours are wanted at all; asked for before the rest, so that a wrong variable can be told in colour or not. */
export function hasColours(env: Record<string, string | undefined> = process.env): boolean {
  return (env['NO_COLOR'] ?? '') === '';
}
