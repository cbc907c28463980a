import { z } from 'zod';
import { DIRECT } from '../core/run.ts';
import {
  checkLease,
  commonEnvironment,
  DEFAULT_DRIVER,
  driverName,
  placeVariables,
  parseEnvironment,
  webUrl,
} from './config.ts';
import { checkIdentity, identityVariables } from './identity-config.ts';

const named = (pattern: RegExp, error: string) => z.string({ error }).regex(pattern, error);
const job = (error: string) => named(/^[a-z][a-z0-9-]{0,62}$/, error);
const endpoint = (byDefault: string) => webUrl.default(byDefault);
const emulator = z
  .string()
  .regex(/^[^\s/]+:\d{1,5}$/, 'host:port, such as 127.0.0.1:8085')
  .optional();

/** Every environment variable of a function in the cloud. */
const environment = commonEnvironment
  .extend({
    // An organisation may have a domain in front.
    GOOGLE_CLOUD_PROJECT: named(
      /^(?:[a-z][a-z0-9.-]*:)?[a-z][a-z0-9-]*$/,
      'the id of your Google Cloud project, such as acme-agents: not its name and not its number',
    ),
    PENSTOCK_REGION: named(/^[a-z]+-[a-z]+\d+$/, 'the region of its Cloud Run jobs, such as europe-west1'),
    PENSTOCK_BUCKET: named(
      /^[a-z0-9][a-z0-9._-]*$/,
      'the name of its Cloud Storage bucket, such as acme-agents-penstock: without gs://',
    ),
    PENSTOCK_JOB: job('the name of the Cloud Run job that runs agents, such as agent-job: without its path'),
    PENSTOCK_JOB_HIGH: job(
      'the name of the Cloud Run job with more memory, such as agent-job-high: without its path',
    ),
    /** Workflows that are deployed and may drive runs, with commas between them. */
    PENSTOCK_DRIVERS: z
      .string()
      .transform((names) => names.split(',').map((name) => name.trim()))
      .pipe(z.array(driverName))
      .default([]),
    /** Of a run that names none. Unless given, `requirement` where that is deployed. */
    PENSTOCK_DRIVER: driverName.optional(),
    PENSTOCK_PUBLIC_URL: z.url({
      protocol: /^https?$/,
      error: 'the URL at which people reach the pages, such as https://penstock.example.com',
    }),
    ...identityVariables,
    FIRESTORE_EMULATOR_HOST: emulator,
    PUBSUB_EMULATOR_HOST: emulator,
    // Google's client takes it with its protocol, other than those of its fellows.
    STORAGE_EMULATOR_HOST: z
      .url({ protocol: /^https?$/, error: 'a URL such as http://127.0.0.1:9023' })
      .optional(),
    PENSTOCK_RUN_URL: endpoint('https://run.googleapis.com'),
    PENSTOCK_WORKFLOWS_URL: endpoint('https://workflowexecutions.googleapis.com'),
    PENSTOCK_SECRETS_URL: endpoint('https://secretmanager.googleapis.com'),
    // Architecture §6: a heartbeat a minute, three of them may be missed; Cloud Run may take long to find room for a job.
    ...placeVariables({ lease: 180, renew: 60, start: 15 * 60, jobs: 20 }),
  })
  .superRefine(checkIdentity)
  .superRefine(checkLease)
  .transform(({ PENSTOCK_DRIVER: driver, ...settings }) => ({
    ...settings,
    PENSTOCK_DRIVER: driver ?? settings.PENSTOCK_DRIVERS.find((name) => name === DEFAULT_DRIVER) ?? DIRECT,
  }));
export type GoogleConfig = z.infer<typeof environment>;

/** The settings of a function in the cloud, checked once. Throws `config` naming each variable that is missing or wrong. */
export function readGoogleConfig(env: Record<string, string | undefined> = process.env): GoogleConfig {
  return parseEnvironment(environment, env);
}
