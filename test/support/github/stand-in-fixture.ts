import { execFile } from 'node:child_process';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { App } from '@octokit/app';
import type { Github } from './github-driver.ts';
import { startGithub } from './start-github.ts';

export interface Received {
  headers: IncomingHttpHeaders;
  body: string;
  payload: Record<string, unknown>;
}

export interface StandInFixture {
  github: Github;
  /** Base of `acme/todo`. */
  base: string;
  received: Received[];
  /** What the webhook receiver answers from now on. */
  answerWith(status: number): void;
  /** JWT of the App. */
  jwt(): Promise<string>;
  token(repository: string, permissions?: Record<string, string>): Promise<string>;
  api(
    method: string,
    path: string,
    options?: { token?: string; body?: unknown; accept?: string },
  ): Promise<{ status: number; data: never; headers: Headers }>;
  git(...args: string[]): Promise<string>;
  folder: string;
  stop(): Promise<void>;
}

const run = promisify(execFile);

/** A stand-in with two private repositories of two owners, and a receiver of its webhooks. */
export async function startFixture(): Promise<StandInFixture> {
  const folder = await mkdtemp(join(tmpdir(), 'github-stand-in-'));
  const received: Received[] = [];
  let answer = 202;
  const receiver = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const body = Buffer.concat(chunks).toString('utf8');
      received.push({ headers: request.headers, body, payload: JSON.parse(body) as Record<string, unknown> });
      response.writeHead(answer).end('noted');
    });
  });
  await new Promise<void>((resolve) => receiver.listen(0, '127.0.0.1', resolve));
  const address = receiver.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const github = await startGithub({
    directory: join(folder, 'repositories'),
    app: { webhookUrl: `http://127.0.0.1:${port}/webhooks/github` },
  });
  const { headSha } = await github.addRepository({
    owner: 'acme',
    name: 'todo',
    files: { 'README.md': '# Todo\n', 'src/a.ts': 'a\n' },
  });
  await github.addRepository({ owner: 'rival', name: 'secret', files: { 'key.txt': 'secret\n' } });
  await github.addRepository({ owner: 'acme', name: 'public', files: { 'a.txt': 'a\n' }, private: false });
  const app = new App({ appId: github.app.id, privateKey: github.app.privateKey });
  const jwt = async (): Promise<string> =>
    ((await app.octokit.auth({ type: 'app' })) as { token: string }).token;
  const api: StandInFixture['api'] = async (method, path, { token, body, accept } = {}) => {
    const response = await fetch(`${github.url}${path}`, {
      method,
      headers: {
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        ...(accept === undefined ? {} : { accept }),
        'content-type': 'application/json',
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    const json = (response.headers.get('content-type') ?? '').includes('application/json');
    return {
      status: response.status,
      data: (json ? JSON.parse(text) : text) as never,
      headers: response.headers,
    };
  };
  return {
    github,
    base: headSha ?? '',
    received,
    answerWith: (status) => {
      answer = status;
    },
    jwt,
    token: async (repository, permissions) => {
      const bearer = await jwt();
      const found = await api('GET', `/repos/${repository}/installation`, { token: bearer });
      const body = {
        repositories: [repository.split('/')[1]],
        ...(permissions === undefined ? {} : { permissions }),
      };
      const path = `/app/installations/${(found.data as { id: number }).id}/access_tokens`;
      return ((await api('POST', path, { token: bearer, body })).data as { token: string }).token;
    },
    api,
    git: async (...args) =>
      (
        await run('git', ['-c', 'user.name=T', '-c', 'user.email=t@localhost', ...args], {
          timeout: 20_000,
          env: { ...process.env, GIT_TERMINAL_PROMPT: '0' },
        })
      ).stdout.trim(),
    folder,
    stop: async () => {
      await github.stop();
      await new Promise((resolve) => receiver.close(resolve));
      await rm(folder, { recursive: true, force: true });
    },
  };
}
