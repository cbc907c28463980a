import { spawn } from 'node:child_process';
import type { Context, Hono } from 'hono';
import { gitEnvironment } from '../../../shared/adapters/local/git-command.ts';
import type { Caller } from './access.ts';
import { mirrorRefs } from './mirror-refs.ts';
import { Refusal } from './refusal.ts';
import { findRepository, type StandInRepository, type World } from './world.ts';

const TIMEOUT_MS = 60_000;
const MAX_ANSWER_BYTES = 256 * 1024 * 1024;
const SERVICES = ['git-upload-pack', 'git-receive-pack'];

/** Clone, fetch and push by git's own `http-backend` on the bare repository. */
export function addGitHttp(app: Hono, world: World): void {
  app.on(
    ['GET', 'POST'],
    '/:owner/:name{.+\\.git}/:path{info/refs|git-upload-pack|git-receive-pack}',
    async (context) => {
      const name = (context.req.param('name') ?? '').replace(/\.git$/, '');
      const path = context.req.param('path') ?? '';
      const service = path === 'info/refs' ? context.req.query('service') : path;
      if (service === undefined || !SERVICES.includes(service))
        throw new Refusal(403, 'Please upgrade your git client.');
      const admitted = await admit(world, context, name, service);
      if (admitted instanceof Response) return admitted;
      const answer = await runBackend(
        context,
        admitted.repository,
        path,
        Buffer.from(await context.req.arrayBuffer()),
      );
      if (path === 'git-receive-pack') await mirrorRefs(world, admitted.repository);
      return answer;
    },
  );
}

/** The repository, or GitHub's answer to who may not see or push to it. */
async function admit(
  world: World,
  context: Context,
  name: string,
  service: string,
): Promise<Response | { repository: StandInRepository; caller: Caller }> {
  const caller = await world.access.identify(context.req.header('authorization'));
  const level = service === 'git-receive-pack' ? 'write' : 'read';
  try {
    const repository = findRepository(world, context.req.param('owner') ?? '', name);
    if (caller.kind === 'anonymous' && (level === 'write' || repository.private))
      throw new Refusal(401, 'Authentication required');
    world.access.check(caller, repository, ['contents'], level);
    return { repository, caller };
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    if (caller.kind === 'anonymous') {
      return context.text('Authentication required\n', 401, { 'www-authenticate': 'Basic realm="GitHub"' });
    }
    const text =
      error.status === 403 ? 'Write access to repository not granted.\n' : 'Repository not found.\n';
    return context.text(text, error.status === 403 ? 403 : 404);
  }
}

function runBackend(
  context: Context,
  repository: StandInRepository,
  path: string,
  body: Buffer,
): Promise<Response> {
  const child = spawn('git', ['http-backend'], {
    env: gitEnvironment({ env: cgiVariables(context, repository, path, body.length) }),
    stdio: ['pipe', 'pipe', 'ignore'],
    timeout: TIMEOUT_MS,
    killSignal: 'SIGKILL',
  });
  child.stdin.on('error', () => {});
  child.stdin.end(body);
  const chunks: Buffer[] = [];
  let size = 0;
  child.stdout.on('data', (chunk: Buffer) => {
    size += chunk.length;
    if (size > MAX_ANSWER_BYTES) child.kill('SIGKILL');
    else chunks.push(chunk);
  });
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => {
      if (code === 0) resolve(readCgi(Buffer.concat(chunks)));
      else reject(new Error(`git http-backend ended with ${code}`));
    });
  });
}

function cgiVariables(
  context: Context,
  repository: StandInRepository,
  path: string,
  bytes: number,
): Record<string, string> {
  const header = (name: string): string => context.req.header(name) ?? '';
  return {
    GIT_PROJECT_ROOT: repository.git.directory,
    GIT_HTTP_EXPORT_ALL: '1',
    PATH_INFO: `/${path}`,
    QUERY_STRING: new URL(context.req.url).search.slice(1),
    REQUEST_METHOD: context.req.method,
    CONTENT_TYPE: header('content-type'),
    CONTENT_LENGTH: String(bytes),
    HTTP_CONTENT_ENCODING: header('content-encoding'),
    GIT_PROTOCOL: header('git-protocol'),
    REMOTE_USER: 'x-access-token',
    REMOTE_ADDR: '127.0.0.1',
  };
}

function readCgi(output: Buffer): Response {
  const end = output.indexOf('\r\n\r\n');
  const headers = new Headers();
  let status = 200;
  for (const line of output.subarray(0, end).toString('latin1').split('\r\n')) {
    const colon = line.indexOf(':');
    const name = line.slice(0, colon);
    const value = line.slice(colon + 1).trim();
    if (name.toLowerCase() === 'status') status = Number(value.slice(0, 3));
    else headers.append(name, value);
  }
  return new Response(Uint8Array.from(output.subarray(end + 4)), { status, headers });
}
