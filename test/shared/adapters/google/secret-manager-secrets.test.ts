import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { createGoogleCredentials } from '../../../../shared/adapters/google/google-credentials.ts';
import { createSecretManagerSecrets } from '../../../../shared/adapters/google/secret-manager-secrets.ts';
import type { Secrets } from '../../../../shared/ports/secrets.ts';
import { createHandClock, type HandClock } from '../../../support/engine.ts';
import { type SecretsStandIn, startSecretsStandIn } from '../../../support/google/secrets-stand-in.ts';

const SECRET = 'projects/p/secrets/anthropic';
const LATEST = `${SECRET}/versions/latest`;
const FIVE_MINUTES_MS = 300_000;
const ONE_MINUTE_MS = 60_000;
const TEXT = 'sk-ant-very-secret';

describe('secrets of Secret Manager', () => {
  let google: SecretsStandIn;
  let clock: HandClock;
  let secrets: Secrets;
  beforeEach(async () => {
    google = await startSecretsStandIn();
    clock = createHandClock();
    secrets = open();
  });
  afterEach(() => google.stop());

  function open(options: { timeoutMs?: number } = {}): Secrets {
    const auth = createGoogleCredentials(google.url);
    return createSecretManagerSecrets({ clock, baseUrl: google.url, auth, ...options });
  }

  it('are read as the text that somebody has put there', async () => {
    const version = google.add(SECRET, '-----BEGIN KEY-----\nä\n-----END KEY-----\n');
    expect(await secrets.read(LATEST)).toBe('-----BEGIN KEY-----\nä\n-----END KEY-----');
    google.add(SECRET, TEXT);
    expect(await secrets.read(version)).toContain('BEGIN KEY');
    expect(google.calls[0]).toMatchObject({ path: `/v1/${LATEST}:access`, query: {} });
  });

  it('are asked for once by all who need one at the same time, and once in five minutes', async () => {
    google.add(SECRET, TEXT);
    expect(await Promise.all([secrets.read(LATEST), secrets.read(LATEST)])).toEqual([TEXT, TEXT]);
    clock.advance(FIVE_MINUTES_MS - 1);
    await secrets.read(LATEST);
    expect(google.calls).toHaveLength(1);
  });

  it('are the new ones five minutes after a rotation', async () => {
    google.add(SECRET, TEXT);
    await secrets.read(LATEST);
    google.add(SECRET, 'the next one');
    expect(await secrets.read(LATEST)).toBe(TEXT);
    clock.advance(FIVE_MINUTES_MS);
    expect(await secrets.read(LATEST)).toBe('the next one');
  });

  it.each([
    ['503', { as: 503 }, 'unavailable'],
    ['429', { as: 429 }, 'rate_limited'],
    ['a broken connection', { as: 'reset' }, 'unavailable'],
  ] as const)(
    'are to be asked for again after %s, and the last ones hold as long as that goes on',
    async (_, failure, code) => {
      google.add(SECRET, TEXT);
      google.failNext('versions.access', failure);
      await expect(secrets.read(LATEST)).rejects.toMatchObject({ code, retry: 'later' });
      expect(await secrets.read(LATEST)).toBe(TEXT);
      clock.advance(FIVE_MINUTES_MS);
      google.failNext('versions.access', failure);
      expect(await secrets.read(LATEST)).toBe(TEXT);
    },
  );

  it('are not waited for longer than is allowed', async () => {
    google.add(SECRET, TEXT);
    google.failNext('versions.access', { as: { lateMs: 10_000 } });
    const answer = open({ timeoutMs: 50 }).read(LATEST);
    await expect(answer).rejects.toMatchObject({ code: 'timeout', retry: 'later' });
  });

  it('that are not there are named, with what to do', async () => {
    await expect(secrets.read(LATEST)).rejects.toMatchObject({ code: 'config', retry: 'never' });
    await expect(secrets.read(LATEST)).rejects.toThrow(
      /projects\/p\/secrets\/anthropic\/versions\/latest.*not found.*create the secret/,
    );
  });

  it('that are not there are asked for once in a minute, and found when somebody adds them', async () => {
    for (let n = 0; n < 3; n += 1)
      await expect(secrets.read(LATEST)).rejects.toMatchObject({ code: 'config' });
    expect(google.calls).toHaveLength(1);
    google.add(SECRET, TEXT);
    clock.advance(ONE_MINUTE_MS);
    expect(await secrets.read(LATEST)).toBe(TEXT);
  });

  it.each(['DISABLED', 'DESTROYED'] as const)(
    'of a version that is %s are named, with what to do',
    async (state) => {
      google.setState(google.add(SECRET, TEXT), state);
      await expect(secrets.read(LATEST)).rejects.toMatchObject({ code: 'config', retry: 'never' });
      await expect(secrets.read(LATEST)).rejects.toThrow(
        new RegExp(`versions/1\\] is in ${state} state.*enable the version`),
      );
    },
  );

  it('that we may not read say which role is missing, also after we once could', async () => {
    google.add(SECRET, TEXT);
    await secrets.read(LATEST);
    google.deny('secretmanager.versions.access');
    clock.advance(FIVE_MINUTES_MS);
    await expect(secrets.read(LATEST)).rejects.toMatchObject({ code: 'config', retry: 'never' });
    await expect(secrets.read(LATEST)).rejects.toThrow(
      /anthropic.*grant roles\/secretmanager.secretAccessor/,
    );
  });

  it.each([
    ['nothing', ''],
    ['an end of line alone', '\n'],
    ['bytes that are no text', Buffer.from([0xff, 0xfe, 0x00])],
  ])('that hold %s are refused', async (_, payload) => {
    google.add(SECRET, payload);
    await expect(secrets.read(LATEST)).rejects.toMatchObject({ code: 'config' });
  });

  it.each([
    'anthropic',
    'projects/p/secrets/s',
    'projects/p/secrets/s/versions/1/../..',
    `${LATEST}?x=1`,
    '',
  ])('are not asked for by %j, which is no name of one', async (name) => {
    await expect(secrets.read(name)).rejects.toMatchObject({ code: 'config' });
    expect(google.calls).toHaveLength(0);
  });

  it('stand in no error', async () => {
    google.add(SECRET, Buffer.concat([Buffer.from(TEXT), Buffer.from([0xff])]));
    const error: unknown = await secrets.read(LATEST).catch((thrown: unknown) => thrown);
    const cause = error instanceof Error ? error.cause : undefined;
    const all = [error, cause].map((each) => String(each) + JSON.stringify(each)).join();
    expect(all).toContain('is not text');
    expect(all).not.toContain(TEXT);
    expect(all).not.toContain(Buffer.from(TEXT).toString('base64').slice(0, 12));
  });
});
