import type { File } from '@google-cloud/storage';
import { checkSignedUrlRequest } from '../../ports/blob-rules.ts';
import type { SignedUrlRequest } from '../../ports/blobs.ts';
import { callGoogle } from './google-call.ts';
import type { StorageCalls } from './storage-call.ts';

const ROLE = 'roles/iam.serviceAccountTokenCreator (on itself)';
const MAX_SECONDS = 7 * 24 * 60 * 60;

/** V4, with the account's key where there is one; otherwise IAM signs for the account, which needs a role for that. */
export async function signObjectUrl(
  calls: StorageCalls,
  file: File,
  request: SignedUrlRequest,
): Promise<string> {
  checkSignedUrlRequest(request);
  const action = request.method === 'GET' ? 'read' : 'write';
  const call = {
    what: `signed URL of blob ${request.key} in bucket ${calls.bucket}`,
    role: ROLE,
    timeoutMs: calls.timeoutMs,
  };
  const sign = async () => {
    const [url] = await file.getSignedUrl({ version: 'v4', action, ...periodOf(request.expiresInMs) });
    return url;
  };
  return callGoogle(call, async () => {
    try {
      return await sign();
    } catch (error) {
      if (!(error instanceof Error) || error.name !== 'SigningError') throw error;
      // The library's error has lost the status: what is asked for directly tells why, or works now.
      await file.storage.authClient.sign(request.key);
      return sign();
    }
  });
}

/** Whole seconds from the second under way: at least as long as asked for, at most what Cloud Storage allows. */
function periodOf(expiresInMs: number): { accessibleAt: number; expires: number } {
  const now = Date.now();
  const accessibleAt = now - (now % 1000);
  const seconds = Math.min(Math.ceil((now - accessibleAt + expiresInMs) / 1000), MAX_SECONDS);
  return { accessibleAt, expires: accessibleAt + seconds * 1000 };
}
