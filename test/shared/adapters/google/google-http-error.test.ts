import { describe, expect, it } from '@jest/globals';
import {
  callGoogle,
  refusalOf,
  translateGoogleError,
} from '../../../../shared/adapters/google/google-call.ts';

const CALL = {
  what: 'put of blob a',
  role: 'roles/storage.objectUser',
  timeoutMs: 1000,
  ifMissing: 'set PENSTOCK_BUCKET',
};
const error = (fields: object, message = 'said') => Object.assign(new Error(message), fields);
const translate = (fields: object, message?: string) => translateGoogleError(CALL, error(fields, message));

describe('An error of a Google HTTP client', () => {
  it.each<[object, string, 'never' | 'later']>([
    [{ code: 400 }, 'invalid', 'never'],
    [{ code: 401 }, 'config', 'never'],
    [{ code: 403 }, 'config', 'never'],
    [{ code: 403, errors: [{ reason: 'userRateLimitExceeded' }] }, 'rate_limited', 'later'],
    [{ code: 404 }, 'config', 'never'],
    [{ status: 408 }, 'timeout', 'later'],
    [{ code: 409 }, 'conflict', 'never'],
    [{ code: 412 }, 'conflict', 'never'],
    [{ code: 413 }, 'too_large', 'never'],
    [{ status: 429 }, 'rate_limited', 'later'],
    [{ code: 500 }, 'unavailable', 'later'],
    [{ status: 502, code: 'ECONNRESET' }, 'unavailable', 'later'],
    [{ code: 503 }, 'unavailable', 'later'],
    [{ code: 504 }, 'timeout', 'later'],
    [{ code: 'ECONNREFUSED' }, 'unavailable', 'later'],
    [{ code: 'ENOTFOUND' }, 'unavailable', 'later'],
    [{ code: 'ERR_STREAM_PREMATURE_CLOSE' }, 'unavailable', 'later'],
    [{ code: 'UND_ERR_SOCKET' }, 'unavailable', 'later'],
    [{ code: 'CONTENT_DOWNLOAD_MISMATCH' }, 'unavailable', 'later'],
    [{ code: 'ETIMEDOUT' }, 'timeout', 'later'],
    [{ code: 'AbortError' }, 'timeout', 'later'],
    [{ code: 418 }, 'internal', 'never'],
    [{ code: 'SOME_BUG' }, 'internal', 'never'],
    [{}, 'internal', 'never'],
    // Of gRPC, whose codes are below a hundred.
    [{ code: 7 }, 'config', 'never'],
    [{ code: 14 }, 'unavailable', 'later'],
  ])('with %j is %s, to be tried again: %s', (fields, code, retry) => {
    const translated = translate(fields);
    expect(translated).toMatchObject({ code, retry, cause: fields });
    expect(translated.message).toMatch(/^put of blob a: said; \S/);
  });

  it.each([
    'Could not load the default credentials. Browse to a page.',
    'invalid_grant: Invalid JWT Signature.',
    'Cannot sign data without `client_email`.',
  ])('that says %j is about the credential, whatever its status', (message) => {
    expect(translate({ code: 400 }, message)).toMatchObject({ code: 'config', retry: 'never' });
    expect(translate({}, message)).toMatchObject({ code: 'config' });
  });

  it('names the role where that is missing, and what to set where nothing is there', () => {
    expect(translate({ code: 403 }).message).toMatch(
      /; grant roles\/storage\.objectUser to the service account/,
    );
    expect(translate({ code: 404 }).message).toBe('put of blob a: said; set PENSTOCK_BUCKET');
    expect(translate({ code: 5 }).message).toBe('put of blob a: said; set PENSTOCK_BUCKET');
    expect(translate({ code: 9 }).message).not.toContain('PENSTOCK_BUCKET');
  });
});

describe('What Google found lacking in us', () => {
  it.each<[object, 'role' | 'credential' | undefined]>([
    [{ code: 7 }, 'role'],
    [{ code: 403 }, 'role'],
    [{ code: 16 }, 'credential'],
    [{ status: 401 }, 'credential'],
    [{ code: 5 }, undefined],
    [{ code: 404 }, undefined],
    [{ code: 403, errors: [{ reason: 'rateLimitExceeded' }] }, undefined],
  ])('is told from what is not there: %j', (fields, lacking) => {
    expect(refusalOf(translate(fields))).toBe(lacking);
  });

  it('is nothing where the error is not of a call', () => {
    expect(refusalOf(error({ code: 7 }))).toBeUndefined();
    expect(refusalOf(undefined)).toBeUndefined();
  });
});

describe('A call that is too late', () => {
  it('is told to stop, and only then', async () => {
    const stopped: string[] = [];
    const work = (signal: AbortSignal) => {
      signal.addEventListener('abort', () => stopped.push('now'));
      return new Promise<never>(() => undefined);
    };
    const late = callGoogle({ ...CALL, timeoutMs: 20 }, work);
    await expect(late).rejects.toMatchObject({ code: 'timeout', retry: 'later' });
    expect(stopped).toEqual(['now']);
    let given: AbortSignal | undefined;
    await callGoogle({ ...CALL, timeoutMs: 20 }, async (signal) => {
      given = signal;
      await Promise.resolve();
    });
    await new Promise((resolve) => setTimeout(resolve, 40));
    expect(given?.aborted).toBe(false);
  });
});
