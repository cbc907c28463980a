import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { openSqliteDatabase } from '../../../shared/adapters/local/sqlite-database.ts';
import { createSqliteStore } from '../../../shared/adapters/local/sqlite-store.ts';
import type { Identity } from '../../../shared/ports/identity.ts';
import { openIdentity, type OpenIdentityConfig } from '../../../shared/runtime/open-identity.ts';
import { silent } from '../../support/engine.ts';
import { realClock } from '../../support/real-clock.ts';

const CONFIG: OpenIdentityConfig = {
  PENSTOCK_IDENTITY: 'iam',
  PENSTOCK_TENANT: 'local',
  PENSTOCK_ADMINS: [],
  PENSTOCK_PLATFORM_ACCOUNTS: ['scheduler@p.iam.gserviceaccount.com'],
  PENSTOCK_INVOKER_ROLE: 'none',
};

/** As Cloud Run hands it on. */
function checkedToken(email: string, aud = 'https://api.run.app'): string {
  const iat = Math.floor(Date.now() / 1_000);
  const claims = {
    iss: 'https://accounts.google.com',
    aud,
    iat,
    exp: iat + 600,
    email,
    email_verified: true,
  };
  const encode = (part: object): string => Buffer.from(JSON.stringify(part)).toString('base64url');
  return `Bearer ${encode({ alg: 'RS256', kid: 'k' })}.${encode(claims)}.SIGNATURE_REMOVED_BY_GOOGLE`;
}

describe('the identity of a function in the cloud', () => {
  const database = openSqliteDatabase({ file: ':memory:', synchronous: 'normal' });
  const store = createSqliteStore({ database, indexes: [] });
  let ask: (
    changes: Partial<OpenIdentityConfig>,
    headers?: Record<string, string>,
  ) => ReturnType<Identity['authenticate']>;
  beforeAll(() => {
    ask = (changes, headers = {}) => {
      const identity = openIdentity({ ...CONFIG, ...changes }, { store, clock: realClock, log: silent });
      expect(identity.mode).toBe(changes.PENSTOCK_IDENTITY ?? 'iam');
      return identity.authenticate({ headers: new Headers(headers), remoteAddress: '169.254.1.1' });
    };
  });
  afterAll(async () => {
    await store.close();
    database.close();
  });

  it('in mode iam lets in whom Cloud Run has let in only as the configuration says', async () => {
    const authorization = checkedToken('ada@example.com');
    await expect(ask({}, { authorization })).rejects.toMatchObject({ code: 'forbidden' });
    expect(await ask({ PENSTOCK_INVOKER_ROLE: 'developer' }, { authorization })).toEqual({
      tenant: 'local',
      actor: 'ada@example.com',
      roles: ['developer'],
    });
  });

  it('in mode iam knows our own service accounts, and is for certain audiences where that is set', async () => {
    const authorization = checkedToken('scheduler@p.iam.gserviceaccount.com');
    expect(await ask({}, { authorization })).toMatchObject({ roles: ['platform'] });
    const narrow = { PENSTOCK_OIDC_AUDIENCE: ['https://sweep.run.app'] };
    await expect(ask(narrow, { authorization })).rejects.toThrow(/another audience/);
  });

  const modes: [Identity['mode'], Partial<OpenIdentityConfig>, RegExp][] = [
    ['iap', { PENSTOCK_IAP_AUDIENCE: '/projects/1/global/backendServices/2' }, /Identity-Aware Proxy/],
    [
      'oidc',
      { PENSTOCK_OIDC_ISSUER: 'https://id.example', PENSTOCK_OIDC_AUDIENCE: ['penstock'] },
      /ID token of https:\/\/id.example for penstock/,
    ],
    ['local', { PENSTOCK_TOKEN: 'the token' }, /PENSTOCK_TOKEN/],
  ];
  it.each(modes)('in mode %s asks for its own proof and takes no other', async (mode, settings, hint) => {
    const authorization = checkedToken('ada@example.com');
    await expect(ask({ PENSTOCK_IDENTITY: mode, ...settings })).rejects.toThrow(hint);
    const answer = ask(
      { PENSTOCK_IDENTITY: mode, ...settings, PENSTOCK_OIDC_KEYS_URL: 'http://127.0.0.1:9' },
      { authorization },
    );
    await expect(answer).rejects.toMatchObject({ name: 'PenstockError' });
  });

  it('in mode local is for who has the token', async () => {
    const local = { PENSTOCK_IDENTITY: 'local', PENSTOCK_TOKEN: 'the token' } as const;
    expect(await ask(local, { authorization: 'Bearer the token' })).toMatchObject({ actor: 'local' });
  });
});
