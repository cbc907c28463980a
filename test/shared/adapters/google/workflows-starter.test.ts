import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { createGoogleCredentials } from '../../../../shared/adapters/google/google-credentials.ts';
import { createWorkflowsStarter } from '../../../../shared/adapters/google/workflows-starter.ts';
import { createPinoLog } from '../../../../shared/adapters/local/pino-log.ts';
import type { WorkflowStarter } from '../../../../shared/ports/workflow-starter.ts';
import { aWorkflow, workflowStarterContract } from '../../../contract/workflow-starter-contract.ts';
import { createHandClock, type HandClock, silent } from '../../../support/engine.ts';
import {
  type ExecutionsStandIn,
  startExecutionsStandIn,
} from '../../../support/google/executions-stand-in.ts';
import type { Failure } from '../../../support/google/google-server.ts';

const WORKFLOW = 'projects/acme/locations/europe-west1/workflows/requirement';
const A_MINUTE_MS = 60_000;

interface World {
  clock: HandClock;
  standIn: ExecutionsStandIn;
  starter(options?: { timeoutMs?: number }): WorkflowStarter;
  calls(operation: string): number;
  lines: string[];
}

async function startWorld(): Promise<World> {
  const clock = createHandClock();
  const lines: string[] = [];
  const log = createPinoLog({
    level: 'DEBUG',
    destination: { write: (line: string) => void lines.push(line) },
  });
  const standIn = await startExecutionsStandIn({
    workflows: [WORKFLOW],
    maxPageSize: 2,
    now: () => clock.now(),
  });
  const auth = createGoogleCredentials(standIn.url);
  const place = { project: 'acme', region: 'europe-west1' };
  return {
    clock,
    standIn,
    lines,
    starter: (options) =>
      createWorkflowsStarter({ baseUrl: standIn.url, auth, ...place, clock, log, ...options }),
    calls: (name) => standIn.calls.filter(({ operation }) => operation === name).length,
  };
}

workflowStarterContract('Google Cloud Workflows', async () => {
  const world = await startWorld();
  const { standIn } = world;
  return {
    starter: world.starter(),
    // oxlint-disable-next-line typescript/require-await
    arguments: async () =>
      standIn
        .executions()
        .toReversed()
        .map(({ argument }) => JSON.parse(argument) as unknown),
    // oxlint-disable-next-line typescript/require-await
    end: async (id, how) =>
      standIn.become(`${WORKFLOW}/executions/${id}`, how === 'failed' ? 'FAILED' : 'SUCCEEDED'),
    close: () => standIn.stop(),
  };
});

describe('the starter of Google Cloud Workflows', () => {
  let world: World;
  /** Between the call and the first look, once. */
  const beforeLooking = (act: () => unknown): void => {
    const { clock } = world;
    const sleep = clock.sleep.bind(clock);
    clock.sleep = async (ms) => {
      clock.sleep = sleep;
      await act();
      await sleep(ms);
    };
  };
  beforeEach(async () => {
    world = await startWorld();
  });
  afterEach(() => world.standIn.stop());

  it.each<[string, Failure]>([
    ['a 503', { as: 503, isApplied: true }],
    ['a 500', { as: 500, isApplied: true }],
    ['a broken connection', { as: 'reset', isApplied: true }],
    ['no answer in time', { as: { lateMs: 5_000 } }],
  ])('finds what it started in spite of %s, and starts no second one', async (_name, failure) => {
    world.standIn.failNext('executions.create', failure);
    const { id } = await world.starter({ timeoutMs: 300 }).start(aWorkflow());
    expect(world.calls('executions.create')).toBe(1);
    expect(world.standIn.executions().map(({ name }) => name)).toEqual([`${WORKFLOW}/executions/${id}`]);
  });

  it('finds it behind pages of later ones for other runs, when it appears late', async () => {
    world.standIn.failNext('executions.create', { as: 503, isApplied: true });
    world.standIn.lagLists(4);
    beforeLooking(async () => {
      world.standIn.lagLists(0);
      for (const run of ['r1', 'r2', 'r3']) await world.starter().start(aWorkflow({ run }));
      await world.starter().start(aWorkflow({ tenant: 'other' }));
    });
    const { id } = await world.starter().start(aWorkflow());
    const oldest = world.standIn.executions().at(-1);
    expect(oldest?.name).toBe(`${WORKFLOW}/executions/${id}`);
    expect(world.calls('executions.create')).toBe(5);
  });

  it('finds it while it waits in the backlog', async () => {
    world.standIn.failNext('executions.create', { as: 503, isApplied: true });
    beforeLooking(() => world.standIn.become(world.standIn.executions()[0]?.name ?? '', 'QUEUED'));
    const execution = await world.starter().start(aWorkflow());
    expect(world.calls('executions.create')).toBe(1);
    expect(await world.starter().state(execution)).toBe('active');
  });

  it('does not take an old execution of the same run for the new one', async () => {
    const old = await world.starter().start(aWorkflow());
    world.clock.advance(10 * A_MINUTE_MS);
    world.standIn.failNext('executions.create', { as: 503 });
    const execution = await world.starter().start(aWorkflow());
    expect(execution.id).not.toBe(old.id);
    expect(world.standIn.executions()).toHaveLength(2);
  });

  it('starts again when a minute has shown nothing and not before, and says so', async () => {
    const begin = world.clock.now();
    world.standIn.failNext('executions.create', { as: 503 });
    await world.starter().start(aWorkflow());
    expect(world.clock.now() - begin).toBe(A_MINUTE_MS);
    expect(world.standIn.executions()).toHaveLength(1);
    expect(world.lines.map((line) => JSON.parse(line) as unknown)).toEqual([
      expect.objectContaining({
        severity: 'WARNING',
        tenant: 'local',
        run: 'r1234567',
        message: expect.stringMatching(/no answer .*workflow requirement.*started again/),
      }),
    ]);
  });

  it('does not start again while nobody can tell whether it runs', async () => {
    world.standIn.failNext('executions.create', { as: 503 });
    world.standIn.failNext('executions.list', { as: 503, times: 100 });
    const start = world.starter().start(aWorkflow());
    await expect(start).rejects.toMatchObject({ code: 'unavailable', retry: 'later' });
    expect(world.calls('executions.create')).toBe(1);
  });

  it('sends each call once: the library repeats nothing by itself', async () => {
    const starter = world.starter();
    const execution = await starter.start(aWorkflow());
    for (const as of [503, 429, 'reset'] as const) {
      world.standIn.failNext('executions.get', { as });
      await expect(starter.state(execution)).rejects.toMatchObject({ retry: 'later' });
      world.standIn.failNext('executions.cancel', { as });
      await expect(starter.cancel(execution)).rejects.toMatchObject({ retry: 'later' });
    }
    expect([world.calls('executions.get'), world.calls('executions.cancel')]).toEqual([3, 3]);
  });

  it('is told to wait by a spent quota, and looks for nothing', async () => {
    world.standIn.failNext('executions.create', { as: 429 });
    const start = world.starter().start(aWorkflow());
    await expect(start).rejects.toMatchObject({ code: 'rate_limited', retry: 'later' });
    expect(world.calls('executions.list')).toBe(0);
  });

  it('says that an execution whose data Google cannot read is unavailable', async () => {
    const execution = await world.starter().start(aWorkflow());
    world.standIn.become(`${WORKFLOW}/executions/${execution.id}`, 'UNAVAILABLE');
    expect(await world.starter().state(execution)).toBe('unavailable');
  });

  it('says that it has no credentials without harm to the process, and takes them when there are some', async () => {
    const { clock, standIn } = world;
    const auth = createGoogleCredentials(standIn.url);
    const getClient = auth.getClient.bind(auth);
    auth.getClient = () => Promise.reject(new Error('Could not load the default credentials.'));
    const place = { project: 'acme', region: 'europe-west1' };
    const starter = createWorkflowsStarter({ baseUrl: standIn.url, auth, ...place, clock, log: silent });
    const uncaught: unknown[] = [];
    const catchIt = (error: unknown) => void uncaught.push(error);
    process.on('unhandledRejection', catchIt);
    try {
      const start = starter.start(aWorkflow());
      await expect(start).rejects.toMatchObject({ code: 'config', retry: 'never' });
      await new Promise((resolve) => setTimeout(resolve, 10));
      expect(uncaught).toEqual([]);
    } finally {
      process.off('unhandledRejection', catchIt);
    }
    auth.getClient = getClient;
    await starter.start(aWorkflow());
    expect(standIn.executions()).toHaveLength(1);
  });

  it('names the file and the role in one sentence', async () => {
    const unknown = world.starter().start({ ...aWorkflow(), workflow: 'nightly' });
    await expect(unknown).rejects.toThrow(
      "start of projects/acme/locations/europe-west1/workflows/nightly for run r1234567: Workflow 'projects/acme/locations/europe-west1/workflows/nightly' not found; deploy workflows/nightly.yaml with the Terraform configuration, or set GOOGLE_CLOUD_PROJECT and PENSTOCK_REGION to where it is",
    );
    world.standIn.deny('workflows.executions.create');
    const refused = world.starter().start(aWorkflow());
    await expect(refused).rejects.toMatchObject({ code: 'config', retry: 'never' });
    await expect(refused).rejects.toThrow(
      /Permission 'workflows.executions.create' denied .*; grant roles\/workflows.invoker/,
    );
  });

  it('does not take what it may not look at for gone, nor what it may not cancel for over', async () => {
    const execution = await world.starter().start(aWorkflow());
    for (const permission of ['get', 'cancel']) world.standIn.deny(`workflows.executions.${permission}`);
    const refusal = { code: 'config', message: expect.stringContaining('; grant roles/workflows.invoker') };
    await expect(world.starter().state(execution)).rejects.toMatchObject(refusal);
    await expect(world.starter().cancel(execution)).rejects.toMatchObject(refusal);
  });
});
