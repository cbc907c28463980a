import { afterEach, describe, expect, it } from '@jest/globals';
import { request } from 'node:http';
import { networkInterfaces } from 'node:os';
import { sweep } from '../../../functions/sweep/sweep.ts';
import { claimTask } from '../../../shared/core/claim-task.ts';
import { refs } from '../../../shared/core/refs.ts';
import {
  type Door,
  type FunctionRuntime,
  openHttpDoor,
  openRuntime,
  type RuntimeOptions,
} from '../../runtime/function-door.ts';
import { acceptedRun, executingRun, readTask, TENANT } from '../../runtime/seed.ts';

let runtime: FunctionRuntime;
let door: Door;
async function open(options: RuntimeOptions = {}, host?: string): Promise<void> {
  runtime = await openRuntime(options);
  door = await openHttpDoor(sweep, runtime, host);
}
afterEach(async () => {
  await door.close();
  await runtime.remove();
});

async function call(
  headers: Record<string, string> = {},
): Promise<{ status: number; body: Record<string, unknown> }> {
  const response = await fetch(`${door.url}/internal/sweep`, { method: 'POST', headers });
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
}

function statusAs(address: string, host: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const port = new URL(door.url).port;
    request(
      { host: address, port, path: '/internal/sweep', method: 'POST', headers: { host } },
      (response) => {
        response.resume();
        response.on('end', () => resolve(response.statusCode ?? 0));
      },
    )
      .on('error', reject)
      .end();
  });
}

describe('The sweep, through its HTTP door', () => {
  it('does nothing when nothing is due', async () => {
    await open();
    await acceptedRun(runtime);
    const before = runtime.published.length;
    expect(await call()).toEqual({
      status: 200,
      body: { lost: 0, dispatched: 0, decisions: 0, runs: 0, deletions: 0 },
    });
    expect(runtime.published).toHaveLength(before);
  });

  it('takes back an attempt whose lease has passed, and its task waits for its next one', async () => {
    await open({ policy: { leaseMs: -1 } });
    const { id } = await executingRun(runtime);
    await claimTask(runtime.ports, { v: 1, tenant: TENANT, run: id, task: 'first', generation: 1 });
    expect((await call()).body).toMatchObject({ lost: 1 });
    expect(await readTask(runtime, id, 'first')).toMatchObject({
      state: 'pending',
      attempts: [{ exit: { outcome: 'lost' } }],
    });
    expect((await call()).body).toMatchObject({ lost: 0 });
  });

  it('publishes again what a run that nobody looked at is waiting for', async () => {
    await open();
    const { id } = await acceptedRun(runtime);
    const run = (await runtime.store.get(refs.run(TENANT, id)))?.data;
    if (run !== undefined)
      await runtime.store.commit([{ op: 'set', ref: refs.run(TENANT, id), data: { ...run, checkedAt: 0 } }]);
    const before = runtime.published.length;
    expect((await call()).body).toMatchObject({ runs: 1 });
    expect(runtime.published.slice(before)).toEqual([
      { topic: 'run-accepted', message: { v: 1, tenant: TENANT, run: id } },
    ]);
  });

  it('is refused to a page of another site and to whoever has no token', async () => {
    await open();
    expect(await statusAs('127.0.0.1', 'evil.example')).toBe(401);
    expect(await statusAs('127.0.0.1', 'localhost')).toBe(200);
  });

  it('is for the bearer of the token where one is set', async () => {
    await open({ env: { PENSTOCK_TOKEN: 'a token' } });
    expect((await call()).status).toBe(401);
    expect((await call({ authorization: 'Bearer a token' })).status).toBe(200);
  });

  const outside = Object.values(networkInterfaces())
    .flatMap((list) => list ?? [])
    .find(({ family, internal }) => family === 'IPv4' && !internal)?.address;
  (outside === undefined ? it.skip : it)(
    'is refused to another machine that says it is this one',
    async () => {
      await open({}, '0.0.0.0');
      expect(await statusAs(outside ?? '', 'localhost')).toBe(401);
    },
  );
});
