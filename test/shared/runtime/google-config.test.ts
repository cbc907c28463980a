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
      /FIRESTORE_EMULATOR_HOST got 'nowhere': host:port/,
    );
    expect(read({ PENSTOCK_LEASE_SECONDS: '0' })).toThrow(/PENSTOCK_LEASE_SECONDS got '0'/);
    expect(read({ PENSTOCK_RUN_URL: 'run' })).toThrow(/PENSTOCK_RUN_URL got 'run'/);
  });

  it('give a lease as long as three heartbeats a minute apart, and a job a quarter of an hour to begin', () => {
    expect(readGoogleConfig(ENVIRONMENT)).toMatchObject({
      PENSTOCK_LEASE_SECONDS: 180,
      PENSTOCK_RENEW_SECONDS: 60,
      PENSTOCK_START_SECONDS: 900,
    });
  });

  it('take the variables of local mode by the same names', () => {
    const given = { PENSTOCK_LEASE_SECONDS: '5', PENSTOCK_BUDGET_USD: '7', PENSTOCK_MAX_JOBS: '3' };
    const expected = { PENSTOCK_LEASE_SECONDS: 5, PENSTOCK_BUDGET_USD: 7, PENSTOCK_MAX_JOBS: 3 };
    expect(readGoogleConfig({ ...ENVIRONMENT, ...given })).toMatchObject(expected);
    expect(readConfig(given)).toMatchObject(expected);
  });
});
