import type { Storage } from '@google-cloud/storage';
import { Compute, GoogleAuth } from 'google-auth-library';
import { createStorageClient } from '../../../shared/adapters/google/storage-client.ts';
import type { StorageStandIn } from './storage-stand-in.ts';

/** Hosts that no setting of the client library names. */
const IDENTITY_HOSTS = /^https:\/\/(?:oauth2|iamcredentials)\.googleapis\.com/;
const SCOPES = ['https://www.googleapis.com/auth/cloud-platform'];

type Target = Pick<StorageStandIn, 'url' | 'key'>;

/** The client library with a service account's key, which it signs with and buys tokens for; all of it at the stand-in. */
export function connectStorage(standIn: Target): Storage {
  const { transporterOptions } = redirected(standIn);
  const auth = new GoogleAuth({ scopes: SCOPES, clientOptions: { transporterOptions } });
  auth.jsonContent = standIn.key;
  return connect(standIn, auth);
}

/** As in a Cloud Function: tokens of the metadata server, signatures of IAM. `GCE_METADATA_HOST` has to name the stand-in. */
export function connectStorageKeyless(standIn: Target): Storage {
  return connect(standIn, new GoogleAuth({ authClient: new Compute(redirected(standIn)) }));
}

function connect({ url, key }: Target, authClient: GoogleAuth): Storage {
  return createStorageClient({
    projectId: key.project_id,
    apiEndpoint: url,
    useAuthWithCustomEndpoint: true,
    authClient,
  });
}

function redirected({ url }: Target) {
  const fetchImplementation: typeof fetch = (target, init) =>
    fetch(String(target instanceof Request ? target.url : target).replace(IDENTITY_HOSTS, url), init);
  return { transporterOptions: { fetchImplementation } };
}
