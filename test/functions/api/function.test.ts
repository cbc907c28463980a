import { getTestServer } from '@google-cloud/functions-framework/testing';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Server } from 'node:http';
import { api } from '../../../functions/api/api.ts';
import { registerHttp } from '../../../shared/runtime/register.ts';
import { portOf } from '../../support/port-of.ts';
import { type ApiWorld, openApiWorld } from './api-world.ts';
import { startRun } from './drive-run.ts';

describe('the function api behind the functions framework', () => {
  let world: ApiWorld;
  let server: Server;
  let url: string;
  beforeAll(async () => {
    world = await openApiWorld();
    registerHttp(
      'api',
      () => Promise.resolve(api),
      () => Promise.resolve(world.runtime),
    );
    server = getTestServer('api');
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    url = `http://127.0.0.1:${portOf(server)}`;
  });
  afterAll(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    await world.close();
  });

  it('reads, streams and cancels', async () => {
    const run = await startRun(world.runtime.ports);
    const list = (await (await fetch(`${url}/api/runs`)).json()) as { items: { id: string }[] };
    expect(list.items.map(({ id }) => id)).toEqual([run.id]);
    const events = await fetch(`${url}/api/runs/${run.id}/events`);
    expect(events.headers.get('content-type')).toContain('text/event-stream');
    const headers = { 'content-type': 'application/json' };
    const cancelled = await fetch(`${url}/api/runs/${run.id}/cancel`, {
      method: 'POST',
      headers,
      body: '{}',
    });
    expect([cancelled.status, ((await cancelled.json()) as { stage: string }).stage]).toEqual([
      202,
      'cancelled',
    ]);
    expect(await events.text()).toContain('event: run_finished');
  });

  it('takes nobody for a neighbour who names another host', async () => {
    const { status } = await world.app.request('/api/runs', { headers: { host: 'rebound.example' } });
    expect(status).toBe(401);
  });
});
