import { describe, expect, it } from '@jest/globals';
import { readGoogleConfig } from '../../../shared/runtime/google-config.ts';

const PLACE = {
  GOOGLE_CLOUD_PROJECT: 'p',
  PENSTOCK_REGION: 'europe-west1',
  PENSTOCK_BUCKET: 'b',
  PENSTOCK_JOB: 'agent',
  PENSTOCK_JOB_HIGH: 'agent-high',
  PENSTOCK_PUBLIC_URL: 'https://penstock.example',
};
const read = (identity: Record<string, string>) => readGoogleConfig({ ...PLACE, ...identity });

describe('how a function in the cloud is told whom to trust', () => {
  it.each([
    ['iam, on Cloud Run', { PENSTOCK_IDENTITY: 'iam', K_SERVICE: 'api' }],
    ['iap', { PENSTOCK_IDENTITY: 'iap', PENSTOCK_IAP_AUDIENCE: '/projects/1/global/backendServices/2' }],
    [
      'iap in front of Cloud Run itself',
      { PENSTOCK_IDENTITY: 'iap', PENSTOCK_IAP_AUDIENCE: '/projects/1/locations/europe-west1/services/api' },
    ],
    [
      'oidc',
      {
        PENSTOCK_IDENTITY: 'oidc',
        PENSTOCK_OIDC_ISSUER: 'https://id.example',
        PENSTOCK_OIDC_AUDIENCE: 'penstock',
      },
    ],
    ['local, on this machine', { PENSTOCK_IDENTITY: 'local' }],
    ['local, with a token', { PENSTOCK_IDENTITY: 'local', K_SERVICE: 'api', PENSTOCK_TOKEN: 't' }],
  ])('takes %s', (_, identity) => {
    expect(read(identity).PENSTOCK_IDENTITY).toBe(identity.PENSTOCK_IDENTITY);
  });

  it('takes lists with commas, and addresses in any letters', () => {
    const config = read({
      PENSTOCK_IDENTITY: 'oidc',
      PENSTOCK_OIDC_ISSUER: 'http://127.0.0.1:9',
      PENSTOCK_OIDC_AUDIENCE: 'penstock, https://api.example.com',
      PENSTOCK_ADMINS: 'Ada@Example.com, bob+1@example.com',
      PENSTOCK_PLATFORM_ACCOUNTS: 'scheduler@p.iam.gserviceaccount.com',
    });
    expect(config.PENSTOCK_OIDC_AUDIENCE).toEqual(['penstock', 'https://api.example.com']);
    expect(config.PENSTOCK_ADMINS).toEqual(['ada@example.com', 'bob+1@example.com']);
    expect(config.PENSTOCK_PLATFORM_ACCOUNTS).toEqual(['scheduler@p.iam.gserviceaccount.com']);
    expect(config.PENSTOCK_INVOKER_ROLE).toBe('none');
  });

  const OIDC = {
    PENSTOCK_IDENTITY: 'oidc',
    PENSTOCK_OIDC_ISSUER: 'https://id.example',
    PENSTOCK_OIDC_AUDIENCE: 'p',
  };
  it.each([
    ['no mode', {}, /PENSTOCK_IDENTITY is not set: iam, iap, oidc or local/],
    [
      'another mode',
      { PENSTOCK_IDENTITY: 'none' },
      /PENSTOCK_IDENTITY got 'none' and takes iam, iap, oidc or local/,
    ],
    [
      'iap without an audience',
      { PENSTOCK_IDENTITY: 'iap' },
      /PENSTOCK_IAP_AUDIENCE is not set: PENSTOCK_IDENTITY=iap needs it/,
    ],
    [
      'iap with the audience of something else',
      { PENSTOCK_IDENTITY: 'iap', PENSTOCK_IAP_AUDIENCE: 'https://x.example' },
      /PENSTOCK_IAP_AUDIENCE got .*\/projects\/NUMBER/,
    ],
    ['oidc without an issuer', { ...OIDC, PENSTOCK_OIDC_ISSUER: '' }, /PENSTOCK_OIDC_ISSUER is not set/],
    [
      'oidc without an audience',
      { ...OIDC, PENSTOCK_OIDC_AUDIENCE: '' },
      /PENSTOCK_OIDC_AUDIENCE is not set/,
    ],
    [
      'an issuer that is no URL',
      { ...OIDC, PENSTOCK_OIDC_ISSUER: 'id.example' },
      /PENSTOCK_OIDC_ISSUER got 'id.example'/,
    ],
    [
      'an issuer that anybody on the way could play',
      { ...OIDC, PENSTOCK_OIDC_ISSUER: 'http://id.example' },
      /PENSTOCK_OIDC_ISSUER got 'http:\/\/id.example': an https URL/,
    ],
    [
      'iam where Cloud Run is not',
      { PENSTOCK_IDENTITY: 'iam' },
      /PENSTOCK_IDENTITY got 'iam': iam trusts Cloud Run/,
    ],
    [
      'this machine where it is another’s',
      { PENSTOCK_IDENTITY: 'local', K_SERVICE: 'api' },
      /PENSTOCK_TOKEN is not set/,
    ],
    [
      'invokers where there are none',
      { ...OIDC, PENSTOCK_INVOKER_ROLE: 'developer' },
      /PENSTOCK_INVOKER_ROLE got 'developer': only PENSTOCK_IDENTITY=iam/,
    ],
    [
      'administrators without an address',
      { ...OIDC, PENSTOCK_ADMINS: 'ada' },
      /PENSTOCK_ADMINS got 'ada' and takes e-mail addresses/,
    ],
    ['a domain as administrators', { ...OIDC, PENSTOCK_ADMINS: 'domain:x.com' }, /PENSTOCK_ADMINS got/],
  ])('refuses %s at start, by the name of the variable', (_, identity, reason) => {
    expect(() => read(identity)).toThrow(reason);
  });
});
