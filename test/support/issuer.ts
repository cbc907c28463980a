import { createServer, type ServerResponse } from 'node:http';
import {
  exportJWK,
  generateKeyPair,
  type JWK,
  type JWTHeaderParameters,
  type JWTPayload,
  SignJWT,
} from 'jose';
import { portOf } from './port-of.ts';

type Algorithm = 'RS256' | 'ES256';
type Key = Awaited<ReturnType<typeof generateKeyPair>>['privateKey'];

export interface SigningKey {
  kid: string;
  algorithm: Algorithm;
  publicJwk: JWK;
  /** A token with these claims and, on top of `alg` and `kid`, these header fields. */
  sign(claims: JWTPayload, header?: Record<string, unknown>): Promise<string>;
}

/** What the server answers instead of its documents. */
export type IssuerFailure = number | 'reset' | 'garbage' | 'silence';

/** An issuer of OpenID Connect on loopback: its discovery document and its public keys. */
export interface Issuer {
  /** Also the name of the issuer. */
  url: string;
  keysUrl: URL;
  /** Paths that were asked for. */
  asked: string[];
  publish(...keys: SigningKey[]): void;
  /** Changes what the discovery document says. */
  describe(changes: Record<string, unknown>): void;
  /** From now on; `undefined` mends it. */
  fail(how: IssuerFailure | undefined): void;
  stop(): Promise<void>;
}

export async function makeSigningKey(kid: string, algorithm: Algorithm = 'ES256'): Promise<SigningKey> {
  const pair = await generateKeyPair(algorithm, { extractable: true });
  const publicJwk = { ...(await exportJWK(pair.publicKey)), kid, use: 'sig', alg: algorithm };
  return {
    kid,
    algorithm,
    publicJwk,
    sign: (claims, header) => signed(pair.privateKey, claims, { alg: algorithm, kid, ...header }),
  };
}

function signed(key: Key, claims: JWTPayload, header: JWTHeaderParameters): Promise<string> {
  const crit = Object.fromEntries((header.crit ?? []).map((name) => [name, true]));
  return new SignJWT(claims).setProtectedHeader({ typ: 'JWT', ...header }).sign(key, { crit });
}

export async function startIssuer(...keys: SigningKey[]): Promise<Issuer> {
  let published = keys;
  let failure: IssuerFailure | undefined;
  let changes: Record<string, unknown> = {};
  const asked: string[] = [];
  const server = createServer((request, response) => {
    const path = request.url ?? '';
    asked.push(path);
    if (failure !== undefined) return failWith(failure, response);
    const discovery = { issuer: url, jwks_uri: `${url}/keys`, ...changes };
    const documents: Record<string, object> = {
      '/.well-known/openid-configuration': discovery,
      '/keys': { keys: published.map(({ publicJwk }) => publicJwk) },
    };
    const document = documents[path];
    response.writeHead(document === undefined ? 404 : 200, { 'content-type': 'application/json' });
    response.end(JSON.stringify(document ?? {}));
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const url = `http://127.0.0.1:${portOf(server)}`;
  return {
    url,
    keysUrl: new URL(`${url}/keys`),
    asked,
    publish: (...next) => {
      published = next;
    },
    describe: (next) => {
      changes = next;
    },
    fail: (how) => {
      failure = how;
    },
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function failWith(failure: IssuerFailure, response: ServerResponse): void {
  if (failure === 'silence') return;
  if (failure === 'reset') {
    response.destroy();
    return;
  }
  response.writeHead(failure === 'garbage' ? 200 : failure, { 'content-type': 'application/json' });
  response.end('<html>');
}
