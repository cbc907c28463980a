import { describe, expect, it } from '@jest/globals';
import { readGoogleConfig } from '../../../shared/runtime/google-config.ts';
import { readConfig } from '../../../shared/runtime/config.ts';

const ENVIRONMENT = {
  GOOGLE_CLOUD_PROJECT: 'acme-agents',
  PENSTOCK_REGION: 'europe-west1',
  PENSTOCK_BUCKET: 'acme-agents-penstock',
  PENSTOCK_JOB: 'agent-job',
  PENSTOCK_JOB_HIGH: 'agent-job-high',
  PENSTOCK_PUBLIC_URL: 'https://penstock.example.com',
  PENSTOCK_IDENTITY: 'iap',
  PENSTOCK_IAP_AUDIENCE: '/projects/1/global/backendServices/2',
};

describe('The settings of a function in the cloud', () => {
  it.each([
    'GOOGLE_CLOUD_PROJECT',
    'PENSTOCK_REGION',
    'PENSTOCK_BUCKET',
    'PENSTOCK_JOB',
    'PENSTOCK_JOB_HIGH',
    'PENSTOCK_PUBLIC_URL',
    'PENSTOCK_IAP_AUDIENCE',
  ])('are refused in one sentence that names what is missing: %s', (name) => {
    for (const value of [undefined, '']) {
      const read = () => readGoogleConfig({ ...ENVIRONMENT, [name]: value });
      expect(read).toThrow(expect.objectContaining({ code: 'config' }));
      expect(read).toThrow(new RegExp(`^settings are wrong: ${name} is not set: [^;\\n]+$`));
    }
  });

  it('are refused with what was given instead, but never with a secret', () => {
    const read = (more: Record<string, string>) => () => readGoogleConfig({ ...ENVIRONMENT, ...more });
    expect(read({ FIRESTORE_EMULATOR_HOST: 'nowhere' })).toThrow(
      /FIRESTORE_EMULATOR_HOST got 'nowhere' and takes host:port/,
    );
    const hidden = { PENSTOCK_TOKEN: 'hush', ANTHROPIC_API_KEY: 'hush', PORT: 'x' };
    expect(read(hidden)).toThrow(/PORT got 'x'/);
    expect(read(hidden)).not.toThrow(/hush/);
  });

  it.each([
    ['GOOGLE_CLOUD_PROJECT', 'My Project', 'the id of your Google Cloud project, such as acme-agents'],
    ['GOOGLE_CLOUD_PROJECT', '123456789012', 'the id of your Google Cloud project, such as acme-agents'],
    ['PENSTOCK_REGION', 'europe-west1-b', 'the region of its Cloud Run jobs, such as europe-west1'],
    ['PENSTOCK_BUCKET', 'gs://acme', 'the name of its Cloud Storage bucket'],
    ['PENSTOCK_JOB', 'projects/p/locations/r/jobs/j', 'the name of the Cloud Run job that runs agents'],
    ['PENSTOCK_PUBLIC_URL', 'penstock.example.com', 'the URL at which people reach the pages'],
    ['PENSTOCK_RUN_URL', 'run', 'an http or https URL'],
    ['PENSTOCK_DRIVERS', 'requirement,,x', 'direct, or the name of a workflow'],
    ['PENSTOCK_MAX_JOBS', 'many', 'a number'],
    ['PENSTOCK_MAX_JOBS', '1.5', 'a whole number'],
    ['PENSTOCK_MAX_JOBS', '0', 'at least 1'],
    ['PENSTOCK_LEASE_SECONDS', '0', 'more than 0'],
    ['LOG_LEVEL', 'debug', 'one of DEBUG, INFO, WARNING, ERROR, SILENT'],
    ['GITHUB_APP_ID', 'Iv1.8a61f9b3a7aba766', 'the number that the settings of the GitHub App show'],
    ['PENSTOCK_GITHUB_ACCOUNTS', 'acme dana', 'logins of GitHub users or organisations with commas between'],
    ['PENSTOCK_GITHUB_ACCOUNTS', 'https://github.com/acme', 'logins of GitHub users or organisations'],
  ])('say what %s takes instead of %j', (name, value, takes) => {
    const read = () => readGoogleConfig({ ...ENVIRONMENT, [name]: value });
    expect(read).toThrow(`settings are wrong: ${name} got '${value}' and takes ${takes}`);
    expect(read).not.toThrow(/[;\n]/);
  });

  it('name GitHub accounts as GitHub does, which tells no small letters from capitals', () => {
    const read = (value: string) =>
      readGoogleConfig({ ...ENVIRONMENT, PENSTOCK_GITHUB_ACCOUNTS: value }).PENSTOCK_GITHUB_ACCOUNTS;
    expect(read('Acme , dana-b,octo_acme')).toEqual(['acme', 'dana-b', 'octo_acme']);
    expect(read('')).toBeUndefined();
  });

  it('are refused where no attempt would keep its lease, whichever of the two is given', () => {
    const read = (more: Record<string, string>) => () => readGoogleConfig({ ...ENVIRONMENT, ...more });
    expect(read({ PENSTOCK_RENEW_SECONDS: '180' })).toThrow(
      "PENSTOCK_RENEW_SECONDS got '180': it has to be less than PENSTOCK_LEASE_SECONDS, which is 180",
    );
    expect(read({ PENSTOCK_LEASE_SECONDS: '30' })).toThrow('PENSTOCK_RENEW_SECONDS is not set: it has to be');
    expect(() => readConfig({ PENSTOCK_RENEW_SECONDS: '20' })).toThrow('PENSTOCK_LEASE_SECONDS, which is 20');
  });

  it('give a lease as long as three heartbeats a minute apart, and a job a quarter of an hour to begin', () => {
    expect(readGoogleConfig(ENVIRONMENT)).toMatchObject({
      PENSTOCK_LEASE_SECONDS: 180,
      PENSTOCK_RENEW_SECONDS: 60,
      PENSTOCK_START_SECONDS: 900,
    });
  });

  it('take the variables of local mode by the same names', () => {
    const given = { PENSTOCK_LEASE_SECONDS: '90', PENSTOCK_BUDGET_USD: '7', PENSTOCK_MAX_JOBS: '3' };
    const expected = { PENSTOCK_LEASE_SECONDS: 90, PENSTOCK_BUDGET_USD: 7, PENSTOCK_MAX_JOBS: 3 };
    expect(readGoogleConfig({ ...ENVIRONMENT, ...given })).toMatchObject(expected);
    expect(readConfig(given)).toMatchObject(expected);
  });
});
