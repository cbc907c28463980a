import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { agentCircuit, modelCircuit, providerCircuit } from '../../../../shared/core/circuits/circuit.ts';
import { type Circuits, createCircuits } from '../../../../shared/core/circuits/create-circuits.ts';
import { refs } from '../../../../shared/core/refs.ts';
import { type Engine, startEngine, TENANT } from '../../../support/engine.ts';
import { countPorts, emptyBill } from '../../../support/count-ports.ts';
import { taskOf } from '../../../support/records.ts';

const PROVIDER = providerCircuit('script');
const RESET_MS = 60_000;
const THRESHOLD = 5;

describe('circuits', () => {
  let engine: Engine;
  beforeEach(async () => {
    engine = await startEngine();
  });
  afterEach(() => engine.close());

  /** What another process knows of the same records. */
  function process(bill = emptyBill()): Circuits {
    const { store, clock, log, settings, policy } = countPorts(bill)(engine.ports);
    return createCircuits({
      store,
      clock,
      log,
      settings,
      provider: 'script',
      defaultTenant: policy.defaultTenant,
    });
  }
  const fault = () => ({ reason: 'unavailable: 529', since: engine.clock.now() });
  async function fail(circuits: Circuits, times: number, name = PROVIDER): Promise<void> {
    for (let n = 0; n < times; n += 1) await circuits.failed(name, fault());
  }
  const record = async (name = PROVIDER) => (await engine.ports.store.get(refs.circuit(name)))?.data;
  const task = (id: string, changes = {}) => taskOf({ id, ...changes });

  it('write nothing until so many failures in a row, and one record then', async () => {
    const bill = emptyBill();
    const circuits = process(bill);
    await fail(circuits, THRESHOLD - 1);
    await circuits.succeeded(PROVIDER, engine.clock.now());
    await fail(circuits, THRESHOLD - 1);
    expect(bill.otherWrites).toBe(0);
    await fail(circuits, 3);
    expect(bill.otherWrites).toBe(1);
    expect(await record()).toMatchObject({
      key: 'provider-script',
      state: 'open',
      since: engine.clock.now(),
      retryAt: engine.clock.now() + RESET_MS,
      reason: 'unavailable: 529',
      failures: THRESHOLD,
    });
  });

  it('go by the numbers of the tenant', async () => {
    await engine.ports.store.create(refs.settings(TENANT), {
      v: 1,
      circuitFailures: 2,
      circuitResetSeconds: 7,
    });
    await fail(process(), 2);
    expect(await record()).toMatchObject({ state: 'open', retryAt: engine.clock.now() + 7_000 });
  });

  it('of a provider stop the tasks of every process within five seconds, but none that calls no model', async () => {
    const [one, other] = [process(), process()];
    expect(await other.gate(task('a'))).toEqual({ open: false });
    await fail(one, THRESHOLD);
    const until = engine.clock.now() + RESET_MS;
    expect(await one.gate(task('a'))).toEqual({ open: true, until, key: 'provider-script' });
    engine.clock.advance(5_000);
    expect(await other.gate(task('a'))).toEqual({ open: true, until, key: 'provider-script' });
    expect(await other.gate(task('a', { kind: 'integrate', agent: 'integrator' }))).toEqual({ open: false });
  });

  it('of an agent stop that agent of that tenant, and nobody else', async () => {
    const circuits = process();
    await fail(circuits, THRESHOLD, agentCircuit(TENANT, 'backend_developer'));
    expect(await circuits.gate(task('a'))).toMatchObject({ open: true, key: 'agent-backend_developer' });
    expect(await circuits.gate(task('a', { agent: 'qa_testing' }))).toEqual({ open: false });
    expect(await circuits.gate(task('a', { tenant: 'other' }))).toEqual({ open: false });
  });

  it('of a model that is gone open at its first call', async () => {
    const circuits = process();
    const gone = modelCircuit('claude-sonnet-5-5');
    await circuits.failed(gone, { ...fault(), reason: 'not_found', isCertain: true });
    expect(await circuits.pass([gone], 'a')).toMatchObject({ open: true });
    expect(await circuits.gate(task('a'))).toEqual({ open: false });
  });

  it('let one of fifty waiting tasks through in all processes, and all of them when it succeeded', async () => {
    const processes = [process(), process(), process()];
    await fail(processes[0] ?? process(), THRESHOLD);
    engine.clock.advance(RESET_MS);
    const tasks = Array.from({ length: 50 }, (_, n) => task(`t${n}`));
    const ask = () =>
      Promise.all(
        tasks.map(async (each, n) => ({
          each,
          gate: await (processes[n % 3] ?? process()).gate(each),
        })),
      );
    const probes = (await ask()).filter(({ gate }) => !gate.open);
    expect(probes).toHaveLength(1);
    engine.clock.advance(1_000);
    expect((await ask()).filter(({ gate }) => !gate.open)).toEqual(probes);
    await processes[1]?.succeeded(PROVIDER, engine.clock.now());
    expect(await record()).toMatchObject({ state: 'closed', failures: 0, retryAt: 0 });
    engine.clock.advance(5_000);
    expect((await ask()).filter(({ gate }) => !gate.open)).toHaveLength(50);
  });

  it('cost a read in five seconds for each circuit, whatever is asked of them', async () => {
    const bill = emptyBill();
    const circuits = process(bill);
    for (let n = 0; n < 200; n += 1) {
      await circuits.gate(task(`t${n}`));
      await circuits.succeeded(agentCircuit(TENANT, 'backend_developer'), engine.clock.now());
      await circuits.saidNothing(PROVIDER, 'a');
    }
    expect(bill).toMatchObject({ reads: 2, otherWrites: 0, counts: 0 });
  });

  it('hold up nobody who tells them something while the store is down', async () => {
    const { store, ...rest } = engine.ports;
    const broken = { ...store, get: () => Promise.reject(new Error('the store is down')) };
    const circuits = createCircuits({
      ...rest,
      store: broken,
      provider: 'script',
      defaultTenant: TENANT,
    });
    await circuits.succeeded(PROVIDER, 0);
    await fail(circuits, THRESHOLD);
    await expect(circuits.gate(task('a'))).rejects.toThrow('the store is down');
  });
});
