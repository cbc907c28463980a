import { createPublicKey, generateKeyPairSync, randomUUID, sign, verify } from 'node:crypto';
import { StorageApiError, UnpublishedShape } from './storage-api-error.ts';

/** What a key file holds. */
export interface ServiceAccountKey {
  type: 'service_account';
  project_id: string;
  private_key_id: string;
  private_key: string;
  client_email: string;
  token_uri: string;
}

export type Role = 'roles/storage.objectUser' | 'roles/iam.serviceAccountTokenCreator';
/** `anyone` has no credential: IAM's `allUsers`. */
export type Member = 'account' | 'anyone';

export interface Accounts {
  key: ServiceAccountKey;
  grant(role: Role, member?: Member): void;
  revoke(role: Role, member?: Member): void;
  /** A new access token of the account. */
  issueToken(): string;
  /** For a signed assertion, as https://oauth2.googleapis.com/token does. */
  exchange(form: URLSearchParams): object;
  /** @throws StorageApiError 401 for a token that is none of the account's. */
  requireToken(authorization: string): void;
  /** @throws StorageApiError 401 without a credential that suffices, 403 with one that does not. */
  requireRole(authorization: string | undefined, permission: string): void;
  /** Whether the account may do what a URL in its name asks for. */
  isGranted(role: Role): boolean;
  signBlob(email: string, payload: string): object;
  isSignedBy(email: string, text: string, signature: Buffer): boolean;
}

const GRANT_TYPE = 'urn:ietf:params:oauth:grant-type:jwt-bearer';
const TOKEN_URI = 'https://oauth2.googleapis.com/token';
const TOKEN_SECONDS = 3600;
let pair: { privateKey: string; publicKey: string } | undefined;

/** One project with one service account and its IAM policy. */
export function openAccounts(project: string): Accounts {
  // Making a key takes long, and one is as good as another.
  pair ??= generateKeyPairSync('rsa', {
    modulusLength: 2048,
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
    publicKeyEncoding: { type: 'spki', format: 'pem' },
  });
  const { privateKey, publicKey } = pair;
  const email = `penstock@${project}.iam.gserviceaccount.com`;
  const keyId = randomUUID();
  const tokens = new Set<string>();
  const policy = new Set<string>();
  const bindingOf = (role: Role, member: Member) => `${member} ${role}`;

  function issueToken(): string {
    const token = `ya29.${randomUUID()}`;
    tokens.add(token);
    return token;
  }

  function memberOf(authorization: string | undefined): Member {
    if (authorization === undefined) return 'anyone';
    if (tokens.has(authorization.replace(/^Bearer /, ''))) return 'account';
    throw new StorageApiError(401, 'Invalid Credentials');
  }

  return {
    key: {
      type: 'service_account',
      project_id: project,
      private_key_id: keyId,
      private_key: privateKey,
      client_email: email,
      token_uri: TOKEN_URI,
    },
    grant: (role, member = 'account') => void policy.add(bindingOf(role, member)),
    revoke: (role, member = 'account') => void policy.delete(bindingOf(role, member)),
    issueToken,
    exchange(form) {
      const claims = readAssertion(form.get('assertion') ?? '', publicKey);
      const isFresh = claims.exp * 1000 > Date.now() && claims.exp - claims.iat <= TOKEN_SECONDS;
      const isOurs = claims.iss === email && claims.aud === TOKEN_URI && claims.scope !== '';
      if (form.get('grant_type') !== GRANT_TYPE || !isFresh || !isOurs) {
        throw new UnpublishedShape(400, 'Invalid JWT Signature.');
      }
      return { access_token: issueToken(), expires_in: TOKEN_SECONDS - 1, token_type: 'Bearer' };
    },
    requireToken: (authorization) => void memberOf(authorization),
    requireRole(authorization, permission) {
      const member = memberOf(authorization);
      const role = 'roles/storage.objectUser';
      if (policy.has(bindingOf(role, member)) || policy.has(bindingOf(role, 'anyone'))) return;
      const who = member === 'anyone' ? 'Anonymous caller' : email;
      const what = `does not have ${permission} access to the Google Cloud Storage object`;
      const message = `${who} ${what}. Permission '${permission}' denied on resource (or it may not exist).`;
      throw new StorageApiError(member === 'anyone' ? 401 : 403, message);
    },
    isGranted: (role) => policy.has(bindingOf(role, 'account')),
    signBlob(asked, payload) {
      if (asked !== email) throw new StorageApiError(404, `Unknown service account ${asked}`);
      if (!policy.has(bindingOf('roles/iam.serviceAccountTokenCreator', 'account'))) {
        const permission = `Permission 'iam.serviceAccounts.signBlob' denied`;
        throw new StorageApiError(403, `${permission} on resource (or it may not exist).`);
      }
      const signature = sign('RSA-SHA256', Buffer.from(payload, 'base64'), privateKey);
      return { keyId, signedBlob: signature.toString('base64') };
    },
    isSignedBy: (asked, text, signature) =>
      asked === email && verify('RSA-SHA256', Buffer.from(text), publicKey, signature),
  };
}

interface Claims {
  iss: string;
  aud: string;
  scope: string;
  iat: number;
  exp: number;
}

function readAssertion(assertion: string, publicKey: string): Claims {
  const [header = '', claims = '', signature = ''] = assertion.split('.');
  if (signature === '') throw new UnpublishedShape(400, 'Invalid JWT: it has three parts.');
  const isSigned = verify(
    'RSA-SHA256',
    Buffer.from(`${header}.${claims}`),
    createPublicKey(publicKey),
    Buffer.from(signature, 'base64url'),
  );
  if (!isSigned) throw new StorageApiError(400, 'Invalid JWT Signature.');
  return JSON.parse(Buffer.from(claims, 'base64url').toString()) as Claims;
}
