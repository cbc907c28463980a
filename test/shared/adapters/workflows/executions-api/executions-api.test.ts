import { ExecutionsClient } from '@google-cloud/workflows';
import { serve, type ServerType } from '@hono/node-server';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { createGoogleCredentials } from '../../../../../shared/adapters/google/google-credentials.ts';
import { createWorkflowsStarter } from '../../../../../shared/adapters/google/workflows-starter.ts';
import { createTimerWheel } from '../../../../../shared/adapters/workflows/engine/timer-wheel.ts';
import { createRunner, type Runner } from '../../../../../shared/adapters/workflows/engine/runner.ts';
import { createExecutionsApi } from '../../../../../shared/adapters/workflows/executions-api/executions-api.ts';
import { loadWorkflow } from '../../../../../shared/adapters/workflows/syntax/load-workflow.ts';
import { toPlain } from '../../../../../shared/adapters/workflows/values.ts';
import { workflowStarterContract } from '../../../../contract/workflow-starter-contract.ts';
import { createHandClock, silent } from '../../../../support/engine.ts';

const SOURCE = readFileSync(
  new URL('../../../../fixtures/workflows/requirement.yaml', import.meta.url),
  'utf8',
);
const PARENT = 'projects/acme/locations/europe-west1/workflows/requirement';

interface World {
  runner: Runner;
  server: ServerType;
  url: string;
  /** Sends the callback that the execution waits for. */
  call(id: string, body: object): Promise<number>;
  close(): Promise<void>;
}

async function startWorld(): Promise<World> {
  let url = '';
  const runner = createRunner({
    project: 'acme',
    location: 'europe-west1',
    callbackBaseUrl: () => url,
    clock: createTimerWheel(),
  });
  const { workflow } = loadWorkflow(SOURCE, { name: 'requirement' });
  const api = createExecutionsApi({
    runner,
    workflow: (name) => (name === 'requirement' ? workflow : undefined),
  });
  const server = serve({ fetch: api, port: 0, hostname: '127.0.0.1' });
  await once(server, 'listening');
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    runner,
    server,
    url,
    async call(id, body) {
      const callback = runner.callbacks(id)[0]?.url ?? '';
      const headers = { 'content-type': 'application/json' };
      return (await fetch(callback, { method: 'POST', headers, body: JSON.stringify(body) })).status;
    },
    async close() {
      runner.close();
      server.close();
      await once(server, 'close');
    },
  };
}

workflowStarterContract('the runner of this project', async () => {
  const world = await startWorld();
  const { runner, url } = world;
  const place = { project: 'acme', region: 'europe-west1' };
  const auth = createGoogleCredentials(url);
  return {
    starter: createWorkflowsStarter({ baseUrl: url, auth, ...place, clock: createHandClock(), log: silent }),
    arguments: () =>
      Promise.resolve(
        runner
          .list('requirement', { limit: 100 })
          .toReversed()
          .map(({ argument }) => toPlain(argument)),
      ),
    async end(id, how) {
      expect(await world.call(id, { how })).toBe(200);
      expect((await runner.finished(id)).state).toBe(how);
    },
    close: () => world.close(),
  };
});

describe('the executions API', () => {
  let world: World;
  let client: ExecutionsClient;
  beforeAll(async () => {
    world = await startWorld();
    const { hostname, port } = new URL(world.url);
    const auth = createGoogleCredentials(world.url) as never;
    client = new ExecutionsClient({
      fallback: true,
      protocol: 'http',
      apiEndpoint: hostname,
      port: Number(port),
      auth,
    });
  });
  afterAll(async () => {
    await client.close();
    await world.close();
  });

  const ask = async (
    path: string,
    init?: RequestInit,
  ): Promise<{ status: number; body: Record<string, unknown> }> => {
    const response = await fetch(`${world.url}/v1/${path}`, init);
    return { status: response.status, body: (await response.json()) as Record<string, unknown> };
  };
  const create = async (): Promise<{ name: string; id: string }> => {
    const [{ name }] = await client.createExecution({
      parent: PARENT,
      execution: { argument: '{"a":1.0}', labels: { l: 'v' } },
    });
    return { name: name ?? '', id: name?.split('/').at(-1) ?? '' };
  };

  it('tells the official client all of an execution that failed', async () => {
    const { name, id } = await create();
    await world.call(id, { how: 'failed' });
    await world.runner.finished(id);
    const [execution] = await client.getExecution({ name });
    expect(execution).toMatchObject({
      name,
      state: 'FAILED',
      argument: '{"a":1.0}',
      labels: { l: 'v' },
      error: {
        payload: '{"message":"told to fail","how":"failed"}',
        context: expect.stringContaining('in step "decide", routine "main", line: '),
        stackTrace: { elements: [{ routine: 'main', step: 'decide' }] },
      },
    });
    expect(Number(execution.endTime?.seconds)).toBeGreaterThan(1e9);
  });

  it('tells the official client where an execution stands, and its result', async () => {
    const { name, id } = await create();
    const [active] = await client.getExecution({ name });
    expect(active).toMatchObject({
      state: 'ACTIVE',
      status: { currentSteps: [{ routine: 'main', step: 'wait' }] },
    });
    expect((await ask(`${name}/callbacks`)).body).toMatchObject({ callbacks: [{ method: 'POST' }] });
    const url = world.runner.callbacks(id)[0]?.url ?? '';
    expect(await world.call(id, { how: 'succeeded' })).toBe(200);
    await world.runner.finished(id);
    expect((await fetch(url, { method: 'POST' })).status).toBe(404);
    const [ended] = await client.getExecution({ name });
    expect(ended).toMatchObject({ state: 'SUCCEEDED', result: '"told"' });
    const { body } = await ask(`${name}/stepEntries`);
    expect(
      (body['stepEntries'] as { step: string; state: string }[]).map(({ step, state }) => [step, state]),
    ).toEqual([
      ['open', 'STATE_SUCCEEDED'],
      ['wait', 'STATE_SUCCEEDED'],
      ['decide', 'STATE_SUCCEEDED'],
      ['done', 'STATE_SUCCEEDED'],
    ]);
    expect((await ask(`${name}/stepEntries/2`)).body).toMatchObject({ step: 'wait', stepType: 'STEP_CALL' });
  });

  it('lists them to the official client page by page, newest first', async () => {
    const made = [await create(), await create(), await create()];
    const names: (string | null | undefined)[] = [];
    for await (const { name } of client.listExecutionsAsync({ parent: PARENT, pageSize: 2 }))
      names.push(name);
    expect(names.slice(0, 3)).toEqual(made.map(({ name }) => name).toReversed());
  });

  it.each([
    ['an unknown workflow', `${PARENT}s/executions`, { method: 'POST', body: '{}' }, 404],
    ['another project', 'projects/x/locations/y/workflows/requirement/executions', {}, 404],
    [
      'an argument that is no JSON',
      `${PARENT}/executions`,
      { method: 'POST', body: '{"argument":"{"}' },
      400,
    ],
    ['a body that is no JSON', `${PARENT}/executions`, { method: 'POST', body: '{' }, 400],
    [
      'an argument that is too large',
      `${PARENT}/executions`,
      { method: 'POST', body: JSON.stringify({ argument: `"${'x'.repeat(33_000)}"` }) },
      400,
    ],
    ['an unknown execution', `${PARENT}/executions/none`, {}, 404],
    ['an unknown callback', `${PARENT}/executions/none/callbacks/c`, { method: 'POST' }, 404],
    ['a page of no size', `${PARENT}/executions?pageSize=-1`, {}, 400],
    ['an unknown view', `${PARENT}/executions?view=ALL`, {}, 400],
    ['a filter', `${PARENT}/executions?filter=x`, {}, 400],
    ['a name of what every object has', `${PARENT}/executions/none:constructor`, {}, 404],
    ['a path that is not encoded', `${PARENT}/executions/%E0%A4%A`, {}, 400],
  ])('refuses %s', async (_what, path, init, status) => {
    expect(await ask(path, init)).toMatchObject({
      status,
      body: { error: { code: status, message: expect.any(String) } },
    });
  });
});
