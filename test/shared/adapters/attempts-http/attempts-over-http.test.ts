import { serve, type ServerType } from '@hono/node-server';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { AddressInfo } from 'node:net';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { attempts } from '../../../../functions/attempts/attempts.ts';
import { blobs as blobRoutes } from '../../../../functions/local/blobs.ts';
import { createAnthropicModel } from '../../../../shared/adapters/anthropic/anthropic-model.ts';
import { createMessagesGateway } from '../../../../shared/adapters/anthropic/messages-gateway.ts';
import { createHttpAttempt } from '../../../../shared/adapters/attempts-http/http-attempt.ts';
import { createFileBlobs } from '../../../../shared/adapters/local/file-blobs.ts';
import { createLocalIdentity } from '../../../../shared/adapters/local/local-identity.ts';
import { reserveJob } from '../../../../shared/core/claim-task.ts';
import type { Ports } from '../../../../shared/core/ports.ts';
import { blobKeys } from '../../../../shared/core/refs.ts';
import type { Runtime } from '../../../../shared/runtime/functions.ts';
import type { LocalRuntime } from '../../../../shared/runtime/local.ts';
import { attemptContract } from '../../../contract/attempt-contract.ts';
import {
  type AttemptWorld,
  closeServer,
  KEY,
  type OpenAttempt,
  openAttemptWorld,
  type Upstream,
} from '../../../contract/attempt-world.ts';
import { bundleOf, newFile } from '../../../functions/attempts/job-player.ts';
import { silent, TENANT } from '../../../support/engine.ts';
import { realClock } from '../../../support/real-clock.ts';

const BLOB_SECRET = 'a secret for signed URLs';

/** Where the attempts function of the newest world answers. */
let url = '';
let ticket = '';

const openOverHttp: OpenAttempt = async ({ ports, hint, upstream }) => {
  const platform = await servePlatform(ports, upstream);
  const reserved = await reserveJob(ports, hint);
  if (reserved.outcome !== 'mine') throw new Error(`the job was not reserved: ${reserved.outcome}`);
  ({ url } = platform);
  ({ ticket } = reserved);
  return { attempt: await claim(ticket), close: platform.close };
};

const claim = (given: string) =>
  createHttpAttempt({
    url,
    ticket: given,
    clock: { ...realClock, sleep: () => Promise.resolve() },
    createModel: ({ provider, ...access }) =>
      createAnthropicModel({
        ...access,
        provider: provider === 'script' ? 'script' : 'anthropic',
        log: silent,
      }),
  });

/** The real function, and beside it what answers signed URLs. `ports.blobs` becomes what those URLs lead to. */
async function servePlatform(
  ports: Ports,
  upstream: Upstream,
): Promise<{ url: string; close: () => Promise<void> }> {
  const directory = await mkdtemp(join(tmpdir(), 'penstock-attempts-'));
  let route: (request: Request, env: object) => Response | Promise<Response> = () =>
    new Response(null, { status: 503 });
  const server = await new Promise<ServerType>((resolve) => {
    const listening: ServerType = serve(
      { fetch: (request, env) => route(request, env), port: 0, hostname: '127.0.0.1' },
      () => resolve(listening),
    );
  });
  const baseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  ports.blobs = createFileBlobs({ directory, baseUrl, secret: BLOB_SECRET, clock: ports.clock });
  const runtime: Runtime = {
    ports,
    gateway: createMessagesGateway({ baseUrl: upstream.url, apiKey: KEY }),
    identity: createLocalIdentity({ tenant: TENANT }),
    webhookSecrets: () => Promise.resolve([]),
    close: () => Promise.resolve(),
  };
  const [api, files] = [
    attempts.app(runtime),
    blobRoutes({ ...runtime, blobSecret: BLOB_SECRET } as LocalRuntime),
  ];
  route = (request, env) =>
    (new URL(request.url).pathname.startsWith('/blobs/') ? files : api).fetch(request, env);
  return {
    url: baseUrl,
    close: async () => {
      if ('closeAllConnections' in server) await closeServer(server);
      await rm(directory, { recursive: true, force: true });
    },
  };
}

attemptContract('over HTTP', openOverHttp);

describe('An attempt over HTTP', () => {
  let world: AttemptWorld;
  beforeEach(async () => {
    world = await openAttemptWorld(openOverHttp);
  });
  afterEach(() => world.close());

  it('is bought once: the ticket of a claimed attempt is stale', async () => {
    await expect(claim(ticket)).rejects.toMatchObject({ code: 'stale', retry: 'never' });
    await expect(world.attempt.renew()).resolves.toMatchObject({ answer: 'continue' });
  });

  it('uploads a change set, has it checked and kept, and finishes with it', async () => {
    const bundle = Buffer.from(JSON.stringify(bundleOf([newFile('docs/design.md')])));
    const upload = await world.attempt.propose({ kind: 'upload', purpose: 'change-set', n: 0 });
    await world.attempt.upload(upload.url ?? '', bundle);
    const kept = await world.attempt.propose({ kind: 'change-set', n: 0 });
    expect(kept).toEqual({ key: blobKeys.changeSet(TENANT, world.hint.run, 'design', 1) });
    expect(await world.blob(kept.key)).toBe(bundle.toString('utf8'));
    expect(await world.attempt.finish({ outcome: 'succeeded', summary: 'done' })).toBe('stored');
    expect((await world.task()).result?.changeSet).toMatchObject({ key: kept.key, files: 1 });
  });

  it('is told every reason why its change set is refused, and nothing of it is kept', async () => {
    const bundle = Buffer.from(JSON.stringify(bundleOf([newFile('../outside.md'), newFile('.git/config')])));
    const upload = await world.attempt.propose({ kind: 'upload', purpose: 'change-set', n: 0 });
    await world.attempt.upload(upload.url ?? '', bundle);
    const refused = world.attempt.propose({ kind: 'change-set', n: 0 });
    await expect(refused).rejects.toMatchObject({
      code: 'invalid',
      retry: 'never',
      reasons: [expect.stringContaining('outside.md'), expect.stringContaining('.git')],
    });
    expect(await world.blob(blobKeys.changeSet(TENANT, world.hint.run, 'design', 1))).toBeUndefined();
  });

  it('may not use the URL of an upload to read, nor after its time', async () => {
    const { url: uploadUrl = '' } = await world.attempt.propose({
      kind: 'upload',
      purpose: 'checkpoint',
      n: 0,
    });
    await expect(world.attempt.fetch(uploadUrl)).rejects.toMatchObject({ code: 'forbidden' });
    world.engine.clock.advance(24 * 60 * 60_000);
    await expect(world.attempt.upload(uploadUrl, Buffer.from('late'))).rejects.toMatchObject({
      code: 'forbidden',
    });
  });

  it('moves any bytes as they are', async () => {
    const bytes = Uint8Array.from({ length: 70_000 }, (_, index) => index % 256);
    const { key, url: uploadUrl = '' } = await world.attempt.propose({
      kind: 'upload',
      purpose: 'checkpoint',
      n: 1,
    });
    await world.attempt.upload(uploadUrl, bytes);
    const readUrl = await world.engine.ports.blobs.signUrl({ key, method: 'GET', expiresInMs: 60_000 });
    expect(Buffer.compare(await world.attempt.fetch(readUrl), bytes)).toBe(0);
  });

  it('gets nothing by the name of another attempt', async () => {
    const forged = `${TENANT}.${world.hint.run}.design.1.guessed`;
    const body = JSON.stringify({ outcome: 'succeeded', summary: 'forged', output: 'forged' });
    const headers = { 'content-type': 'application/json', authorization: `Bearer ${forged}` };
    const answer = await fetch(`${url}/internal/attempts/finish`, { method: 'POST', headers, body });
    expect(await answer.json()).toEqual({ outcome: 'stale' });
    expect((await world.task()).state).toBe('running');
    expect(await world.blob(blobKeys.output(TENANT, world.hint.run, 'design', 1))).toBeUndefined();
  });

  it('is charged for an answer that it stopped reading', async () => {
    const abort = new AbortController();
    const reserved = new Promise<number>((resolve) => {
      world.upstream.onMessage = async () => {
        resolve((await world.task()).attempts[0]?.meter.reservedMicroUsd ?? 0);
        await new Promise((ready) => setTimeout(ready, 50));
      };
    });
    const turns = [
      { role: 'user' as const, blocks: [{ type: 'text' as const, text: 'Task: design\nSay hello' }] },
    ];
    const asked = world.attempt.model.answer({
      model: 'claude-sonnet-5-5',
      system: 'Agent: project_architect',
      turns,
      tools: [],
      maxOutputTokens: 500,
      timeoutMs: 10_000,
      signal: abort.signal,
    });
    const thrown = asked.catch((error: unknown) => error);
    expect(await reserved).toBeGreaterThan(0);
    abort.abort(new Error('enough'));
    expect(await thrown).toEqual(new Error('enough'));
    const spent = async () => (await world.task()).attempts[0]?.meter;
    for (let tries = 0; tries < 100 && (await spent())?.spentMicroUsd === 0; tries += 1)
      await realClock.sleep(20);
    const meter = await spent();
    expect(meter?.reservedMicroUsd).toBe(0);
    expect(meter?.spentMicroUsd).toBeGreaterThan(0);
  });
});
