import { z } from 'zod';
import type { Accounts } from './storage-accounts.ts';
import { jsonAnswer, StorageApiError, UnpublishedShape, type Answer } from './storage-api-error.ts';
import { parseJson, type OperationCall, type StorageOperation } from './storage-operation.ts';

const signBlobBody = z.strictObject({
  payload: z.base64(),
  delegates: z.array(z.string()).optional(),
});

/** What gives and takes credentials: tokens for a key, IAM's signatures, and the metadata server of Cloud Run and Functions. */
export function identityApi(accounts: Accounts): StorageOperation[] {
  const metadata = (path: string, answer: () => Answer): StorageOperation => ({
    name: 'metadata',
    method: 'GET',
    path: new RegExp(`^/computeMetadata/v1/${path}$`),
    query: ['scopes'],
    refuse: ({ status, message }) => ({ status, body: message }),
    serve({ headers }) {
      if (headers['metadata-flavor'] !== 'Google') throw new UnpublishedShape(403, 'Missing Metadata-Flavor');
      const { headers: own, ...rest } = answer();
      return {
        ...rest,
        headers: { 'content-type': 'application/text', 'metadata-flavor': 'Google', ...own },
      };
    },
  });
  const text = (body: string) => () => ({ status: 200, body });
  return [
    {
      name: 'token',
      method: 'POST',
      path: /^\/token$/,
      query: [],
      refuse: ({ status, message }) =>
        jsonAnswer({ error: 'invalid_grant', error_description: message }, status),
      async serve(call) {
        const form = new URLSearchParams((await call.readBody()).toString());
        return jsonAnswer(accounts.exchange(form));
      },
    },
    {
      name: 'serviceAccounts.signBlob',
      method: 'POST',
      path: /^\/v1\/projects\/-\/serviceAccounts\/(?<email>[^/:]+):signBlob$/,
      query: [],
      refuse: googleError,
      serve: (call) => signBlob(accounts, call),
    },
    metadata('instance/?', text('')),
    metadata('instance/service-accounts/default/email', text(accounts.key.client_email)),
    metadata('instance/service-accounts/default/token', () =>
      jsonAnswer({ access_token: accounts.issueToken(), expires_in: 3599, token_type: 'Bearer' }),
    ),
    metadata('universe/universe-domain', text('googleapis.com')),
    metadata('project/project-id', text(accounts.key.project_id)),
  ];
}

async function signBlob(
  accounts: Accounts,
  { headers, parameters, ...call }: OperationCall,
): Promise<Answer> {
  const body = parseJson(signBlobBody, (await call.readBody()).toString());
  if (headers.authorization === undefined) {
    throw new StorageApiError(401, 'Request is missing required authentication credential.');
  }
  accounts.requireToken(headers.authorization);
  return jsonAnswer(accounts.signBlob(parameters['email'] ?? '', body.payload));
}

const STATUSES: Record<number, string> = {
  400: 'INVALID_ARGUMENT',
  401: 'UNAUTHENTICATED',
  403: 'PERMISSION_DENIED',
  404: 'NOT_FOUND',
  429: 'RESOURCE_EXHAUSTED',
  503: 'UNAVAILABLE',
};

/** The error of every newer API (https://google.aip.dev/193). */
function googleError({ status, message }: StorageApiError): Answer {
  return jsonAnswer({ error: { code: status, message, status: STATUSES[status] ?? 'UNKNOWN' } }, status);
}
