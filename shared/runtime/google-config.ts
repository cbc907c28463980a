import { z } from 'zod';
import { DIRECT } from '../core/run.ts';
import { commonEnvironment, DEFAULT_DRIVER, driverName, placeVariables, parseEnvironment } from './config.ts';
import { checkIdentity, identityVariables } from './identity-config.ts';

const given = (error: string) => z.string({ error }).min(1);
const endpoint = (byDefault: string) => z.url().default(byDefault);
const emulator = z
  .string()
  .regex(/^[^\s/]+:\d{1,5}$/, 'host:port')
  .optional();

/** Every environment variable of a function in the cloud. */
const environment = commonEnvironment
  .extend({
    GOOGLE_CLOUD_PROJECT: given('the id of your Google Cloud project'),
    PENSTOCK_REGION: given('the region of its Cloud Run jobs, such as europe-west1'),
    PENSTOCK_BUCKET: given('the name of its Cloud Storage bucket'),
    PENSTOCK_JOB: given('the name of the Cloud Run job that runs agents'),
    PENSTOCK_JOB_HIGH: given('the name of the Cloud Run job with more memory'),
    /** Workflows that are deployed and may drive runs, with commas between them. */
    PENSTOCK_DRIVERS: z
      .string()
      .transform((names) => names.split(',').map((name) => name.trim()))
      .pipe(z.array(driverName))
      .default([]),
    /** Of a run that names none. Unless given, `requirement` where that is deployed. */
    PENSTOCK_DRIVER: driverName.optional(),
    PENSTOCK_PUBLIC_URL: z.url({ error: 'the URL at which people reach the pages' }),
    ...identityVariables,
    FIRESTORE_EMULATOR_HOST: emulator,
    PUBSUB_EMULATOR_HOST: emulator,
    STORAGE_EMULATOR_HOST: z.url().optional(),
    PENSTOCK_RUN_URL: endpoint('https://run.googleapis.com'),
    PENSTOCK_WORKFLOWS_URL: endpoint('https://workflowexecutions.googleapis.com'),
    PENSTOCK_SECRETS_URL: endpoint('https://secretmanager.googleapis.com'),
    // Architecture §6: a heartbeat a minute, three of them may be missed; Cloud Run may take long to find room for a job.
    ...placeVariables({ lease: 180, renew: 60, start: 15 * 60, jobs: 20 }),
  })
  .superRefine(checkIdentity)
  .transform(({ PENSTOCK_DRIVER: driver, ...settings }) => ({
    ...settings,
    PENSTOCK_DRIVER: driver ?? settings.PENSTOCK_DRIVERS.find((name) => name === DEFAULT_DRIVER) ?? DIRECT,
  }));
export type GoogleConfig = z.infer<typeof environment>;

/** The settings of a function in the cloud, checked once. Throws `config` naming each variable that is missing or wrong. */
export function readGoogleConfig(env: Record<string, string | undefined> = process.env): GoogleConfig {
  return parseEnvironment(environment, env);
}
