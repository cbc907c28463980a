import { createHash } from 'node:crypto';
import type { Accounts } from './storage-accounts.ts';
import { StorageApiError, UnpublishedShape, xmlError } from './storage-api-error.ts';
import { mediaAnswer } from './storage-json-api.ts';
import type { ObjectStore } from './storage-objects.ts';
import type { OperationCall, StorageOperation } from './storage-operation.ts';

/** Not where an API is. */
const PATH = /^\/(?!(?:storage|upload|b|v1|computeMetadata)\/)(?<bucket>[^/]+)\/(?<object>.+)$/;
const ALGORITHM = 'GOOG4-RSA-SHA256';
const QUERY = [
  'X-Goog-Algorithm',
  'X-Goog-Credential',
  'X-Goog-Date',
  'X-Goog-Expires',
  'X-Goog-SignedHeaders',
  'X-Goog-Signature',
];
const MAX_SECONDS = 7 * 24 * 60 * 60;

/** Objects by signed URLs (https://cloud.google.com/storage/docs/authentication/canonical-requests), path style. */
export function signedApi({
  accounts,
  objects,
  now,
}: {
  accounts: Accounts;
  objects: ObjectStore;
  now: () => number;
}): StorageOperation[] {
  function check(call: OperationCall, method: string): { bucket: string; name: string } {
    checkSignature(call, { method, accounts, now: now() });
    const bucket = call.parameters['bucket'] ?? '';
    objects.requireBucket(bucket);
    if (accounts.isGranted('roles/storage.objectUser'))
      return { bucket, name: call.parameters['object'] ?? '' };
    throw new StorageApiError(403, 'Access denied.');
  }
  return [
    {
      name: 'signed.get',
      method: 'GET',
      path: PATH,
      query: QUERY,
      refuse: xmlError,
      async serve(call) {
        const { bucket, name } = check(call, 'GET');
        return mediaAnswer(objects.find(bucket, name), objects);
      },
    },
    {
      name: 'signed.put',
      method: 'PUT',
      path: PATH,
      query: QUERY,
      refuse: xmlError,
      async serve(call) {
        const body = await call.readBody();
        const object = { ...check(call, 'PUT'), contentType: call.headers['content-type'] };
        const { etag, generation } = await objects.insert(object, body);
        return { status: 200, headers: { etag, 'x-goog-generation': generation } };
      },
    },
  ];
}

function checkSignature(
  call: OperationCall,
  { method, accounts, now }: { method: string; accounts: Accounts; now: number },
): void {
  const value = (name: string) => call.query.get(`X-Goog-${name}`) ?? '';
  if (QUERY.some((name) => !call.query.has(name))) {
    throw new StorageApiError(401, 'Authentication required.', { xmlCode: 'AuthenticationRequired' });
  }
  const seconds = Number(value('Expires'));
  const isPeriod = /^\d+$/.test(value('Expires')) && seconds >= 1 && seconds <= MAX_SECONDS;
  const date = readDate(value('Date'));
  const [email = '', ...scope] = value('Credential').split('/');
  const isScope = scope.join('/') === `${value('Date').slice(0, 8)}/auto/storage/goog4_request`;
  if (value('Algorithm') !== ALGORITHM || !isPeriod || !isScope || date === undefined) {
    throw new UnpublishedShape(400, 'Invalid argument.');
  }
  const request = canonicalRequest(call, method, value('SignedHeaders'));
  const digest = createHash('sha256').update(request).digest('hex');
  const text = [ALGORITHM, value('Date'), scope.join('/'), digest].join('\n');
  if (!accounts.isSignedBy(email, text, Buffer.from(value('Signature'), 'hex'))) {
    const details = `The request signature we calculated does not match the signature you provided. ${text}`;
    throw new StorageApiError(403, 'Access denied.', { xmlCode: 'SignatureDoesNotMatch', details });
  }
  const end = date + seconds * 1000;
  if (now <= end) return;
  const details = `The provided token has expired. Request signature expired at: ${new Date(end).toISOString()}`;
  throw new StorageApiError(400, 'Invalid argument.', { xmlCode: 'ExpiredToken', details });
}

function readDate(text: string): number | undefined {
  const parts = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(text)?.slice(1).map(Number);
  if (parts === undefined) return undefined;
  const [year = 0, month = 1, day = 1, hours = 0, minutes = 0, secondsOfMinute = 0] = parts;
  return Date.UTC(year, month - 1, day, hours, minutes, secondsOfMinute);
}

function canonicalRequest(call: OperationCall, method: string, signedHeaders: string): string {
  const names = signedHeaders.split(';');
  const unsigned = Object.keys(call.headers).find(
    (name) => name.startsWith('x-goog-') && !names.includes(name),
  );
  if (!names.includes('host') || unsigned !== undefined) {
    const details = `Header was included in signedheaders, or not in: ${unsigned ?? 'host'}`;
    throw new StorageApiError(400, 'Invalid argument.', { xmlCode: 'MalformedSecurityHeader', details });
  }
  const [path = '', search = ''] = call.target.split('?');
  const query = search
    .split('&')
    .filter((part) => !part.startsWith('X-Goog-Signature='))
    .toSorted();
  const headers = names.map((name) => `${name}:${headerOf(call, name)}\n`);
  return [method, path, query.join('&'), headers.join(''), signedHeaders, 'UNSIGNED-PAYLOAD'].join('\n');
}

/** The client library signs the host without its port; Google's own host has none. */
function headerOf({ headers }: OperationCall, name: string): string {
  const value = String(headers[name] ?? '').trim();
  return name === 'host' ? value.replace(/:\d+$/, '') : value;
}
