import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http';
import { portOf } from '../port-of.ts';
import { openAccounts, type Member, type Role, type ServiceAccountKey } from './storage-accounts.ts';
import { StorageApiError, UnpublishedShape } from './storage-api-error.ts';
import { cutOf, fail, openFailures, send, type StorageFailure } from './storage-failures.ts';
import { identityApi } from './storage-identity-api.ts';
import { jsonApi } from './storage-json-api.ts';
import { openObjects } from './storage-objects.ts';
import {
  bodyReader,
  BrokenBody,
  checkQuery,
  findOperation,
  type OperationCall,
  type StorageOperation,
} from './storage-operation.ts';
import { openUploadSessions } from './storage-sessions.ts';
import { signedApi } from './storage-signed-api.ts';

export interface StorageStandInOptions {
  /** @default any free one */
  port?: number;
  /** @default ['penstock-test'] */
  buckets?: string[];
  /** Keeps the objects there, also beyond a stop. @default memory */
  folder?: string;
  /** Whoever comes without a credential, as the client library does with `STORAGE_EMULATOR_HOST`, may do all. @default false */
  isOpen?: boolean;
  /** By which signed URLs expire. @default Date.now */
  now?: () => number;
}

export interface StorageStandIn {
  url: string;
  /** What a key file of its one service account holds. */
  key: ServiceAccountKey;
  /** Every call that has an operation, oldest first. */
  calls: { operation: string; target: string; headers: IncomingHttpHeaders }[];
  /** Calls in no published shape: mistakes of the program under test. */
  unpublished: string[];
  /** Waits in line behind what is to go wrong with that operation already. */
  failNext(operation: string, failure: StorageFailure): void;
  grant(role: Role, member?: Member): void;
  revoke(role: Role, member?: Member): void;
  /** Every upload session is over. */
  expireSessions(): void;
  stop(): Promise<void>;
}

const PROJECT = 'penstock-test';
const OBJECT_USER = 'roles/storage.objectUser';

/** Cloud Storage over HTTP on loopback, with the parts of IAM, OAuth and the metadata server that its clients need. */
export async function startStorageStandIn(options: StorageStandInOptions = {}): Promise<StorageStandIn> {
  const { port = 0, buckets = ['penstock-test'], folder, isOpen = false, now = Date.now } = options;
  const accounts = openAccounts(PROJECT);
  for (const member of isOpen ? (['account', 'anyone'] as const) : (['account'] as const)) {
    accounts.grant(OBJECT_USER, member);
  }
  const objects = openObjects(folder === undefined ? { buckets } : { buckets, folder });
  const sessions = openUploadSessions(objects);
  const failures = openFailures();
  const calls: StorageStandIn['calls'] = [];
  const unpublished: string[] = [];
  const operations = [
    ...jsonApi({ accounts, objects, sessions }),
    ...identityApi(accounts),
    ...signedApi({ accounts, objects, now }),
  ];

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = '', url: target = '/', headers } = request;
    const origin = `http://${headers.host}`;
    const url = new URL(target, origin);
    const report = (problem: string) => unpublished.push(`${method} ${target}: ${problem}`);
    const found = findOperation(operations, method, url);
    if (found === undefined) {
      report('no such method');
      return send(response, { status: 404, body: 'Not Found' });
    }
    const { operation, parameters } = found;
    calls.push({ operation: operation.name, target, headers });
    const failure = failures.next(operation.name);
    const readBody = bodyReader(request, failure === undefined ? undefined : cutOf(failure));
    const call = { parameters, query: url.searchParams, headers, target, origin, readBody };
    const work = () => perform(operation, call, report);
    if (failure === undefined) return send(response, await work());
    await fail({ operation, response, work, readBody }, failure);
  }

  const server = createServer((request, response) => {
    serve(request, response).catch((error: unknown) => {
      if (!(error instanceof BrokenBody)) unpublished.push(`the stand-in broke: ${String(error)}`);
      response.destroy();
    });
  });
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${portOf(server)}`,
    key: accounts.key,
    calls,
    unpublished,
    failNext: (operation, failure) => failures.add(operation, failure),
    grant: (role, member) => accounts.grant(role, member),
    revoke: (role, member) => accounts.revoke(role, member),
    expireSessions: () => sessions.expire(),
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function perform(operation: StorageOperation, call: OperationCall, report: (problem: string) => void) {
  try {
    checkQuery(operation, call.query);
    return await operation.serve(call);
  } catch (error) {
    if (!(error instanceof StorageApiError)) throw error;
    if (error instanceof UnpublishedShape) report(error.message);
    return operation.refuse(error);
  }
}
