import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { stages } from '../../functions/stages/stages.ts';
import { createRunner, type Runner } from '../../shared/adapters/workflows/engine/runner.ts';
import {
  createVirtualClock,
  type VirtualClock,
} from '../../shared/adapters/workflows/engine/virtual-clock.ts';
import { loadWorkflow } from '../../shared/adapters/workflows/syntax/load-workflow.ts';
import { fromPlain, toPlain } from '../../shared/adapters/workflows/values.ts';
import { decide } from '../../shared/core/decisions/decide.ts';
import { refs } from '../../shared/core/refs.ts';
import type { Runtime } from '../../shared/runtime/functions.ts';
import { blockedRun } from '../support/blocked-run.ts';
import { startEngine, TENANT, type Engine } from '../support/engine.ts';

const HOUR_MS = 3_600_000;
const source = readFileSync(new URL('../../workflows/decision.yaml', import.meta.url), 'utf8');

describe('workflows/decision.yaml', () => {
  let engine: Engine;
  let runner: Runner;
  let clock: VirtualClock;
  let decision: string;
  let id: string;
  let failures: number[];
  beforeEach(async () => {
    engine = await startEngine();
    failures = [];
    const target = { host: 'github' as const, repository: 'acme/todo', headBranch: 'penstock/run1' };
    [decision = ''] = (await blockedRun(engine.ports, { run: { targets: [target] } })).decisions;
    engine.mail.length = 0;
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
      env: { PENSTOCK_STAGES_URL: 'https://stages.test' },
      auth: { oidc: () => Promise.resolve('token'), oauth2: () => Promise.resolve('token') },
      fetch: async (input, init) => {
        const status = failures.shift();
        return status === undefined ? door.fetch(new Request(input, init)) : new Response(null, { status });
      },
    });
    const { workflow, problems } = loadWorkflow(source, { name: 'decision' });
    if (workflow === undefined || problems.length > 0) throw new Error(JSON.stringify(problems));
    id = runner.start(workflow, fromPlain({ tenant: TENANT, decision }));
    await clock.settled();
  });
  afterEach(async () => {
    runner.close();
    await engine.close();
  });

  /** Both clocks: the platform's own, and the workflow's. */
  const pass = async (hours: number): Promise<void> => {
    for (let hour = 0; hour < hours; hour += 1) {
      engine.clock.advance(HOUR_MS);
      await clock.advance(HOUR_MS);
    }
  };
  const notices = () => engine.mail.filter(({ topic }) => topic === 'notification-requested').length;
  const state = () => runner.state(id)?.state;
  const result = () => toPlain(runner.state(id)?.result ?? null);
  const read = async () => (await engine.ports.store.get(refs.decision(TENANT, decision)))?.data;

  it('reminds after a day, escalates after two, and takes the safe option after three', async () => {
    await pass(23);
    expect([notices(), state()]).toEqual([0, 'active']);
    await pass(2);
    expect(notices()).toBe(1);
    await pass(24);
    expect(notices()).toBe(2);
    expect(await read()).toMatchObject({ state: 'open' });
    await pass(24);
    expect(result()).toEqual({ decision, run: 'run1', state: 'expired', option: 'stop' });
    expect(await read()).toMatchObject({ state: 'expired', actor: 'deadline' });
  });

  it('gives the answer of a person within the hour', async () => {
    await decide(engine.ports, { tenant: TENANT, id: decision }, { option: 'raise' }, 'dana');
    await pass(1);
    expect(result()).toEqual({ decision, run: 'run1', state: 'decided', option: 'raise' });
  });

  it('asks again where no answer came', async () => {
    failures = [503, 503];
    await decide(engine.ports, { tenant: TENANT, id: decision }, { option: 'stop' }, 'dana');
    await pass(2);
    expect(result()).toMatchObject({ state: 'decided', option: 'stop' });
  });

  it('fails for a decision that there is not', async () => {
    const { workflow } = loadWorkflow(source, { name: 'decision' });
    if (workflow === undefined) throw new Error('it was loaded before');
    const other = runner.start(workflow, fromPlain({ tenant: TENANT, decision: 'nosuchone1' }));
    await clock.settled();
    expect(runner.state(other)).toMatchObject({
      state: 'failed',
      error: { context: expect.stringContaining('404') },
    });
  });
});
