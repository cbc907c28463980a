import { createPrivateKey } from 'node:crypto';
import { App } from '@octokit/app';
import { Octokit } from '@octokit/core';
import { retry } from '@octokit/plugin-retry';
import { throttling } from '@octokit/plugin-throttling';
import type { Endpoints, RequestParameters } from '@octokit/types';
import type { RepositoryRef } from '../../ports/code-host.ts';
import type { Log } from '../../ports/log.ts';
import { PenstockError } from '../../ports/penstock-error.ts';
import { createTokens, ownerAndRepo, type Scope } from './github-tokens.ts';
import { octokitOptions } from './octokit-options.ts';
import { translateError } from './translate-error.ts';

export interface GithubCodeHostConfig {
  appId: number;
  /** PEM. A secret. */
  privateKey: string;
  /** Such as `https://api.github.com` or `https://github.example.com/api/v3`. */
  apiUrl: string;
  log: Log;
  fetch?: typeof fetch;
}

type Route = keyof Endpoints;
type Parameters = RequestParameters & Record<string, unknown>;

export interface GithubClient {
  /** Calls an endpoint of one repository with a token that reaches nothing else. `owner` and `repo` are filled in. */
  call<R extends Route>(
    repository: RepositoryRef,
    route: R,
    parameters?: Parameters,
  ): Promise<Endpoints[R]['response']['data']>;
  /** At most `maxBytes` of a raw answer. */
  read(
    repository: RepositoryRef,
    route: Route,
    parameters: Parameters,
    maxBytes: number,
  ): Promise<Uint8Array>;
  graphql(repository: RepositoryRef, query: string, variables: Record<string, unknown>): Promise<unknown>;
  /** A token of this repository only. A secret. */
  token(repository: RepositoryRef, scope: Scope): Promise<string>;
  /** Name of the App in its own bot user, `slug[bot]`. */
  slug(): Promise<string>;
}

/** Repeating these after an unknown outcome could do a thing twice: whoever calls has to look first. */
const NOT_REPEATED = /^POST .*\/(?:pulls|comments|check-runs|git\/refs)$/;

const PluggedOctokit = Octokit.plugin(retry, throttling);

/** octokit for one App: limited tokens, a deadline for every request, few retries, errors in the project's own words. */
export function createGithubClient(config: GithubCodeHostConfig): GithubClient {
  const options = octokitOptions(config);
  const { appId, privateKey } = config;
  requireKey(privateKey);
  const app = new App({ appId, privateKey, Octokit: PluggedOctokit.defaults(options) });
  const octokit = new PluggedOctokit(options);
  const token = createTokens(app);

  const request = async (repository: RepositoryRef, route: Route, parameters: Parameters) => {
    const scope = scopeOf(route);
    const headers = { ...parameters.headers, authorization: `token ${await token(repository, scope)}` };
    const retries = NOT_REPEATED.test(route) ? { retries: 0 } : {};
    const settings = { ...parameters.request, ...retries };
    return octokit.request(route, { ...ownerAndRepo(repository), ...parameters, headers, request: settings });
  };
  return {
    call: (repository, route, parameters = {}) =>
      translating(
        repository.repository,
        route,
        async () => (await request(repository, route, parameters)).data,
      ),
    read: (repository, route, parameters, maxBytes) =>
      translating(repository.repository, route, async () => {
        const raw = { ...parameters, request: { parseSuccessResponseBody: false } };
        const stream: ReadableStream<Uint8Array> | null = (await request(repository, route, raw)).data;
        return readStream(stream, maxBytes);
      }),
    graphql: (repository, query, variables) =>
      translating(repository.repository, 'POST /graphql', async () => {
        const headers = { authorization: `token ${await token(repository, 'write')}` };
        return octokit.graphql(query, { ...variables, headers });
      }),
    token: (repository, scope) =>
      translating(repository.repository, 'POST /app/installations/{id}/access_tokens', () =>
        token(repository, scope),
      ),
    slug: once(() =>
      translating(
        'the App',
        'GET /app',
        async () => (await app.octokit.request('GET /app')).data?.slug ?? '',
      ),
    ),
  };
}

/** Otherwise every call would look as if GitHub gave no answer. In an environment line ends may be written as \n. */
function requireKey(privateKey: string): void {
  try {
    createPrivateKey(privateKey.replaceAll('\\n', '\n'));
  } catch {
    throw new PenstockError(
      'config',
      'GITHUB_PRIVATE_KEY is no private key: give it the whole text of the .pem file that GitHub made for the App',
    );
  }
}

function scopeOf(route: Route): Scope {
  if (!route.startsWith('GET ')) return 'write';
  return route.endsWith('/status') ? 'statuses' : 'read';
}

/** Keeps what it found, but no failure. */
function once<T>(find: () => Promise<T>): () => Promise<T> {
  let found: Promise<T> | undefined;
  return () => {
    found ??= find().catch((error: unknown) => {
      found = undefined;
      throw error;
    });
    return found;
  };
}

async function translating<T>(subject: string, route: string, call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (error) {
    throw error instanceof PenstockError ? error : translateError(error, route, subject);
  }
}

async function readStream(stream: ReadableStream<Uint8Array> | null, maxBytes: number): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of stream ?? []) {
    chunks.push(chunk.subarray(0, maxBytes - size));
    size += chunk.length;
    // Leaving the loop cancels the download.
    if (size >= maxBytes) break;
  }
  return Buffer.concat(chunks);
}
