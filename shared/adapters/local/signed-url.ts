import { createHmac, timingSafeEqual } from 'node:crypto';
import { isBlobKey } from '../../ports/blob-rules.ts';

type Method = 'GET' | 'PUT';

export type SignedUrlCheck =
  | { outcome: 'valid'; key: string; expiresAt: number }
  | { outcome: 'refused'; reason: 'malformed' | 'expired' | 'wrong signature' };

export interface UrlToSign {
  baseUrl: string;
  secret: string;
  key: string;
  method: Method;
  /** Epoch milliseconds. */
  expiresAt: number;
}

/** `<baseUrl>/blobs/<key>?method=…&expires=…&signature=…` */
export function signBlobUrl({ baseUrl, secret, key, method, expiresAt }: UrlToSign): string {
  const signature = signatureOf(secret, { key, method, expiresAt }).toString('base64url');
  const query = new URLSearchParams({ method, expires: String(expiresAt), signature });
  return `${baseUrl.replace(/\/+$/, '')}/blobs/${key}?${query.toString()}`;
}

/**
 * Whether a request may have what its URL names. `method` is that of the request, `url` absolute or from the path on,
 * `now` epoch milliseconds. The host answers `refused` with 403 and reads or writes nothing.
 */
export function verifySignedUrl(request: {
  secret: string;
  url: string;
  method: string;
  now: number;
}): SignedUrlCheck {
  const url = URL.parse(request.url, 'http://localhost');
  const key = url?.pathname.split('/blobs/').slice(1).join('/blobs/') ?? '';
  const method = url?.searchParams.get('method');
  const expires = url?.searchParams.get('expires') ?? '';
  const signature = Buffer.from(url?.searchParams.get('signature') ?? '', 'base64url');
  const isRead = method === 'GET' || method === 'PUT';
  if (!isRead || !isBlobKey(key) || !/^\d{1,15}$/.test(expires))
    return { outcome: 'refused', reason: 'malformed' };
  const expiresAt = Number(expires);
  const expected = signatureOf(request.secret, { key, method, expiresAt });
  const isSame = signature.length === expected.length && timingSafeEqual(signature, expected);
  if (!isSame || method !== request.method) return { outcome: 'refused', reason: 'wrong signature' };
  return request.now < expiresAt
    ? { outcome: 'valid', key, expiresAt }
    : { outcome: 'refused', reason: 'expired' };
}

function signatureOf(secret: string, what: Pick<UrlToSign, 'key' | 'method' | 'expiresAt'>): Buffer {
  return createHmac('sha256', secret).update(`${what.method}\n${what.key}\n${what.expiresAt}`).digest();
}
