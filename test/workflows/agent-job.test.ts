import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { stages } from '../../functions/stages/stages.ts';
import { runJobsConnectors } from '../../shared/adapters/workflows/connectors/run-jobs.ts';
import { createRunner, type Runner } from '../../shared/adapters/workflows/engine/runner.ts';
import {
  createVirtualClock,
  type VirtualClock,
} from '../../shared/adapters/workflows/engine/virtual-clock.ts';
import type { Workflow } from '../../shared/adapters/workflows/syntax/ast.ts';
import { loadWorkflow } from '../../shared/adapters/workflows/syntax/load-workflow.ts';
import { fromPlain, toPlain } from '../../shared/adapters/workflows/values.ts';
import { cancelRun } from '../../shared/core/cancel-run.ts';
import { parseToken } from '../../shared/core/fence.ts';
import { finishAttempt } from '../../shared/core/finish-attempt.ts';
import { openJob } from '../../shared/core/open-job.ts';
import { refs } from '../../shared/core/refs.ts';
import { sweep } from '../../shared/core/sweep.ts';
import { jobEnvironment, type JobRequest } from '../../shared/ports/job-starter.ts';
import type { Runtime } from '../../shared/runtime/functions.ts';
import { type Engine, startEngine, TENANT } from '../support/engine.ts';
import { runOf, taskOf } from '../support/records.ts';

const MINUTE_MS = 60_000;
const source = readFileSync(new URL('../../workflows/agent-job.yaml', import.meta.url), 'utf8');
const HINT = { v: 1 as const, tenant: TENANT, run: 'run1', task: 'api', generation: 1 };
const RUN =
  /^POST https:\/\/run\.test\/apis\/run\.googleapis\.com\/v1\/namespaces\/acme\/jobs\/([a-z-]+):run$/;

/** An execution of a Cloud Run job, played by the test. */
interface Container {
  job: string;
  environment: Record<string, string>;
  /** Whether it exited with 0; absent while it runs. */
  isGood?: boolean;
}

describe('workflows/agent-job.yaml', () => {
  let engine: Engine;
  let runner: Runner;
  let clock: VirtualClock;
  let workflow: Workflow;
  let job: JobRequest;
  let containers: Container[];
  /** Answered instead of what would be, by what is asked; `isApplied`: it has its effect all the same. */
  let faults: { pattern: RegExp; status: number | 'reset'; isApplied?: boolean }[];
  let asked: string[];

  beforeEach(async () => {
    engine = await startEngine();
    const { store } = engine.ports;
    await store.create(refs.run(TENANT, 'run1'), runOf({ targets: [] }));
    await store.create(refs.task(TENANT, 'run1', 'api'), taskOf());
    await engine.deliver({ topic: 'task-dispatched', message: HINT });
    [job] = engine.jobs.starts as [JobRequest];
    [containers, faults, asked] = [[], [], []];
    const door = stages.app({
      ports: engine.ports,
      identity: {
        mode: 'oidc',
        authenticate: () => Promise.resolve({ tenant: 'platform', actor: 'workflow', roles: ['platform'] }),
      },
    } as unknown as Runtime);
    clock = createVirtualClock({ isAutomatic: false });
    runner = createRunner({
      clock,
      project: 'acme',
      location: 'europe-west1',
      env: {
        PENSTOCK_STAGES_URL: 'https://stages.test',
        PENSTOCK_JOB: 'agent-job',
        PENSTOCK_JOB_HIGH: 'agent-job-high',
      },
      connectors: runJobsConnectors({ baseUrl: 'https://run.test' }),
      auth: { oidc: () => Promise.resolve('identity'), oauth2: () => Promise.resolve('access') },
      fetch: async (input, init) => {
        const request = new Request(input, init);
        const what = `${request.method} ${request.url}`;
        asked.push(what);
        const fault = faults.find(({ pattern }) => pattern.test(what));
        if (fault === undefined) return answer(what, request);
        faults.splice(faults.indexOf(fault), 1);
        if (fault.isApplied === true) await answer(what, request);
        if (fault.status === 'reset')
          throw new TypeError('fetch failed', { cause: Object.assign(new Error(), { code: 'ECONNRESET' }) });
        return new Response(null, { status: fault.status });
      },
    });
    async function answer(what: string, request: Request): Promise<Response> {
      if (!what.includes('https://run.test')) return door.fetch(request);
      const [, name] = RUN.exec(what) ?? [];
      if (name === undefined) return Response.json(shown(Number(what.split('-').at(-1))));
      const { overrides } = (await request.json()) as {
        overrides: { containerOverrides: { env: { name: string; value: string }[] }[] };
      };
      const env = overrides.containerOverrides[0]?.env ?? [];
      containers.push({
        job: name,
        environment: Object.fromEntries(env.map((one) => [one.name, one.value])),
      });
      return Response.json(shown(containers.length - 1));
    }
    const loaded = loadWorkflow(source, { name: 'agent-job', connectors: runner.connectors.values() });
    if (loaded.workflow === undefined || loaded.problems.length > 0)
      throw new Error(JSON.stringify(loaded.problems));
    workflow = loaded.workflow;
  });
  afterEach(async () => {
    runner.close();
    await engine.close();
  });

  function shown(index: number): object {
    const one = containers[index];
    const status = one?.isGood === undefined ? 'Unknown' : one.isGood ? 'True' : 'False';
    const message = status === 'False' ? 'The container exited with an error.' : '';
    return {
      metadata: { name: `agent-job-${index}`, namespace: 'acme' },
      spec: { environment: one?.environment },
      status: { conditions: [{ type: 'Completed', status, message }] },
    };
  }

  const start = async (): Promise<string> => {
    const { tenant, run, task, generation, tier } = job;
    const id = runner.start(workflow, fromPlain({ tenant, run, task, generation, tier }));
    await clock.settled();
    return id;
  };
  const pass = async (minutes: number): Promise<void> => {
    for (let minute = 0; minute < minutes; minute += 1) {
      engine.clock.advance(MINUTE_MS);
      await clock.advance(MINUTE_MS);
    }
  };
  const view = (id: string) => {
    const { state, result, error } = runner.state(id) ?? {};
    return { state, result: toPlain(result ?? null), error: error?.context };
  };
  const ticketOf = (index = 0) => containers[index]?.environment['PENSTOCK_TICKET'] ?? '';
  /** What a container does first. */
  const claim = async (index = 0) => {
    const { token } = await openJob(engine.ports, ticketOf(index));
    const fence = parseToken(token);
    if (fence === undefined) throw new Error('that is no token');
    return fence;
  };
  const finish = async (fence: Awaited<ReturnType<typeof claim>>) =>
    finishAttempt(engine.ports, fence, { outcome: 'succeeded', summary: 'built', checks: [], filesRead: 0 });
  const exit = (isGood: boolean, index = 0): void => {
    const one = containers[index];
    if (one !== undefined) one.isGood = isGood;
  };
  const task = () => engine.task('run1', 'api');
  const path = `${TENANT}/run1/api/1`;

  it('starts the job of the attempt with its ticket and ids only, and ends with it', async () => {
    const id = await start();
    expect(containers).toHaveLength(1);
    expect(containers[0]?.job).toBe('agent-job');
    expect(Object.keys(containers[0]?.environment ?? {}).toSorted()).toEqual(
      Object.keys(jobEnvironment({ ...job, traceparent: 'some' })).toSorted(),
    );
    expect(containers[0]?.environment['PENSTOCK_ATTEMPT']).toBe(path);
    const fence = await claim();
    await pass(30);
    expect(view(id).state).toBe('active');
    await finish(fence);
    exit(true);
    await pass(1);
    expect(view(id).result).toEqual({ attempt: path, state: 'succeeded', end: 'done' });
    expect(asked.filter((what) => what.endsWith('/ended'))).toEqual([]);
  });

  it('runs what needs more memory as the other job', async () => {
    job = { ...job, tier: 'high' };
    await start();
    expect(containers[0]?.job).toBe('agent-job-high');
  });

  it('has the ticket in nothing that it was given, and gives it to nobody', async () => {
    const id = await start();
    await claim();
    exit(false);
    await pass(1);
    const secret = ticketOf();
    expect(secret.length).toBeGreaterThan(20);
    expect(JSON.stringify(view(id))).not.toContain(secret);
    expect(JSON.stringify(await task())).not.toContain(secret);
    // Nor is what the platform made when it reserved the job worth anything.
    expect(secret).not.toBe(job.ticket);
  });

  it('reports a job that dies silently at once, and the next attempt is due before the lease would have ended', async () => {
    const id = await start();
    await claim();
    exit(false);
    await pass(1);
    expect(view(id).result).toEqual({ attempt: path, state: 'lost', end: 'failed' });
    const { state, attempts, leaseUntil } = await task();
    expect({ state, leaseUntil }).toEqual({ state: 'pending', leaseUntil: 0 });
    expect(attempts[0]?.exit).toMatchObject({
      outcome: 'lost',
      message: expect.stringContaining('failed without a report'),
    });
  });

  it('reports a job whose container never claimed its attempt', async () => {
    const id = await start();
    exit(true);
    await pass(1);
    expect(view(id).result).toMatchObject({ state: 'lost', end: 'done' });
  });

  it('is one of one: a second execution of the attempt starts nothing', async () => {
    const first = await start();
    const second = await start();
    expect(view(second).result).toEqual({ attempt: path, state: 'refused', end: 'not_started' });
    expect(containers).toHaveLength(1);
    const fence = await claim();
    await finish(fence);
    exit(true);
    await pass(1);
    expect(view(first).result).toMatchObject({ state: 'succeeded' });
  });

  it('asks again for the ticket whose answer was lost, and the job gets one that opens its attempt', async () => {
    faults.push({ pattern: /\/ticket$/, status: 503, isApplied: true });
    const id = await start();
    await pass(1);
    expect(asked.filter((what) => what.endsWith('/ticket'))).toHaveLength(2);
    await finish(await claim());
    exit(true);
    await pass(1);
    expect(view(id).result).toMatchObject({ state: 'succeeded' });
  });

  it.each([500, 'reset'] as const)(
    'waits for the attempt of a job that was started all the same when the answer was lost (%s)',
    async (status) => {
      faults.push({ pattern: RUN, status, isApplied: true });
      const id = await start();
      const fence = await claim();
      await pass(10);
      expect(view(id).state).toBe('active');
      await finish(fence);
      await pass(1);
      expect(view(id).result).toEqual({ attempt: path, state: 'succeeded', end: 'unknown' });
      expect(containers).toHaveLength(1);
    },
  );

  it('gives a job of which nobody knows a minute to claim its attempt', async () => {
    faults.push({ pattern: RUN, status: 500 });
    const id = await start();
    await clock.advance(MINUTE_MS);
    expect(view(id).state).toBe('active');
    await clock.advance(MINUTE_MS);
    expect(view(id).result).toMatchObject({ state: 'lost', end: 'unknown' });
    expect((await task()).state).toBe('pending');
  });

  it('leaves the attempt to the other container where Cloud Run has started two', async () => {
    faults.push({ pattern: RUN, status: 503, isApplied: true });
    const id = await start();
    const fence = await claim(0);
    await pass(1);
    expect(containers).toHaveLength(2);
    await expect(claim(1)).rejects.toThrow('was used already');
    exit(true, 1);
    await pass(2);
    expect(view(id).state).toBe('active');
    await finish(fence);
    await pass(1);
    expect(view(id).result).toMatchObject({ state: 'succeeded' });
  });

  it('ends with the lease of such a container, when that dies too', async () => {
    faults.push({ pattern: RUN, status: 500, isApplied: true });
    const id = await start();
    await claim();
    await pass(5);
    await sweep(engine.ports);
    await pass(1);
    expect(view(id).result).toMatchObject({ state: 'lost', end: 'unknown' });
  });

  it('gives the attempt back, without counting it, where Cloud Run has no room', async () => {
    for (let times = 0; times < 20; times += 1) faults.push({ pattern: RUN, status: 429 });
    const id = await start();
    await pass(5);
    expect(view(id).result).toEqual({ attempt: path, state: 'gone', end: 'no_capacity' });
    expect(await task()).toMatchObject({ state: 'ready', attempts: [] });
  });

  it('reports a start that Cloud Run refuses, with what it said', async () => {
    faults.push({ pattern: RUN, status: 403 });
    const id = await start();
    expect(view(id).result).toMatchObject({ state: 'failed', end: 'refused' });
    expect((await task()).attempts[0]?.exit).toMatchObject({
      code: 'internal',
      message: expect.stringMatching(/was not started: .*403/),
    });
  });

  it('ends without a report when the run is cancelled', async () => {
    const id = await start();
    await cancelRun(engine.ports, TENANT, 'run1', 'dana');
    expect(engine.jobs.cancels).toHaveLength(1);
    exit(false);
    await pass(1);
    expect(view(id).result).toEqual({ attempt: path, state: 'cancelled', end: 'failed' });
    expect((await engine.run('run1')).stage).toBe('cancelled');
  });

  it('starts nothing for a run that was cancelled before', async () => {
    await cancelRun(engine.ports, TENANT, 'run1', 'dana');
    expect(view(await start()).result).toMatchObject({ state: 'refused' });
    expect(containers).toEqual([]);
  });

  it('ends the attempt of a job that goes on after its deadline, and has the job killed', async () => {
    const id = await start();
    const fence = await claim();
    const { attempts } = await task();
    const limitMinutes = Math.ceil(((attempts[0]?.hardLimitAt ?? 0) - engine.clock.now()) / MINUTE_MS);
    await pass(limitMinutes);
    expect(view(id).state).toBe('active');
    await pass(7);
    expect(view(id).result).toMatchObject({ state: 'lost', end: 'timed_out' });
    expect((await task()).attempts[0]?.exit?.message).toContain('did not end in its time');
    expect(engine.jobs.cancels).toEqual([{ tenant: TENANT, run: 'run1', task: 'api', generation: 1 }]);
    expect(await finish(fence)).toBe('stale');
  });

  it('fails where the platform cannot be reached, and the lease ends the attempt', async () => {
    for (let times = 0; times < 200; times += 1) faults.push({ pattern: /\/ticket$/, status: 500 });
    const id = await start();
    await pass(140);
    expect(view(id)).toMatchObject({ state: 'failed', error: expect.stringContaining('500') });
    expect(containers).toEqual([]);
    await sweep(engine.ports);
    expect((await task()).attempts[0]?.exit?.outcome).toBe('lost');
  });
});
