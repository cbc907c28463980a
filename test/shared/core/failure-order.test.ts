import { afterEach, describe, expect, it } from '@jest/globals';
import { agentCircuit, providerCircuit } from '../../../shared/core/circuits/circuit.ts';
import type { Worker } from '../../../shared/core/ports.ts';
import { refs } from '../../../shared/core/refs.ts';
import { sweep } from '../../../shared/core/sweep.ts';
import { modelFailure } from '../../../shared/core/work/attempt-failures.ts';
import type { AttemptResultInput, FailureCode } from '../../../shared/messages/attempt-api.ts';
import type { Model, ModelRequest } from '../../../shared/ports/model.ts';
import { PenstockError } from '../../../shared/ports/penstock-error.ts';
import { DONE, type Engine, type EngineOptions, startEngine, TENANT } from '../../support/engine.ts';
import { createSpendingModel } from '../../support/spending-model.ts';

const RESET_MS = 60_000;
const THRESHOLD = 5;
const answering = createSpendingModel();

/** One call of the model, whose failure is the attempt's. */
const callOnce: Worker = async (open) => {
  const { attempt } = await open();
  const { id, maxOutputTokens } = attempt.brief.model;
  const request: ModelRequest = {
    model: id,
    system: '',
    turns: [],
    tools: [],
    maxOutputTokens: Math.min(maxOutputTokens, 1_000),
    timeoutMs: 1_000,
  };
  try {
    await attempt.model.answer(request);
    return DONE;
  } catch (error) {
    return { outcome: 'failed', failure: modelFailure(error) };
  }
};

const overloaded = (afterMs?: number) =>
  new PenstockError('rate_limited', 'the model answered 429', {
    retry: 'later',
    ...(afterMs === undefined ? {} : { afterMs }),
  });

/** A provider that may be switched off for some models or for all. */
function createProvider(): { model: Model; refuse: (model: string) => PenstockError | undefined } {
  const provider: ReturnType<typeof createProvider> = {
    refuse: () => undefined,
    model: {
      ...answering,
      answer: (request) => {
        const error = provider.refuse(request.model);
        return error === undefined ? answering.answer(request) : Promise.reject(error);
      },
    },
  };
  return provider;
}

const work = (id: string, more: object = {}) => ({
  id,
  agent: 'technical_writer',
  instructions: 'Write.',
  ...more,
});
const failing = (code: FailureCode, message = 'it broke'): AttemptResultInput => ({
  outcome: 'failed',
  failure: { code, message },
});

describe('the order of what follows a failure', () => {
  let engine: Engine;
  afterEach(() => engine.close());
  const start = async (options: EngineOptions) => {
    engine = await startEngine(options);
  };
  const attempts = async (run: string) => (await engine.tasks(run)).flatMap((task) => task.attempts);
  const circuit = async (name: Parameters<typeof refs.circuit>[0]) =>
    (await engine.ports.store.get(refs.circuit(name)))?.data;
  /** Time passes, and what is due is dispatched and worked. */
  async function later(ms: number): Promise<void> {
    engine.clock.advance(ms);
    await sweep(engine.ports);
    await engine.drain();
  }

  it('during an outage: some fail, all others wait without an attempt, one is tried, then all go on', async () => {
    const provider = createProvider();
    await start({ model: provider.model, work: (open) => callOnce(open), policy: { retryBaseMs: 500_000 } });
    provider.refuse = () => overloaded();
    const { id } = await engine.submit({
      plan: Array.from({ length: 30 }, (_, n) => work(`t${n}`)),
      budgetMicroUsd: 50_000_000,
    });
    await engine.drain();
    expect(await attempts(id)).toHaveLength(THRESHOLD);
    expect(await circuit(providerCircuit('script'))).toMatchObject({ state: 'open' });
    const waiting = (await engine.tasks(id)).filter((task) => task.attempts.length === 0);
    expect(waiting).toHaveLength(25);
    for (const task of waiting)
      expect(task).toMatchObject({ state: 'ready', notBefore: engine.clock.now() + RESET_MS });

    await later(RESET_MS);
    expect((await attempts(id)).length).toBe(THRESHOLD + 1);
    expect(await circuit(providerCircuit('script'))).toMatchObject({ state: 'open', reopened: 1 });

    provider.refuse = () => undefined;
    await later(2 * RESET_MS);
    expect(await circuit(providerCircuit('script'))).toMatchObject({ state: 'closed' });
    for (let minutes = 0; minutes < 12; minutes += 1) await later(60_000);
    const tasks = await engine.tasks(id);
    expect(tasks.map(({ state }) => state)).toEqual(tasks.map(() => 'succeeded'));
    // Nobody paid for the outage with an attempt but those that found it out.
    expect(await attempts(id)).toHaveLength(30 + THRESHOLD + 1);
  });

  it("isolates agents: one agent's failures stop its own tasks and no others", async () => {
    await start({ play: (task) => (task.startsWith('bad') ? failing('internal', task) : DONE) });
    const bad = Array.from({ length: 12 }, (_, n) => work(`bad${n}`));
    const { id } = await engine.submit({
      plan: [...bad, ...Array.from({ length: 12 }, (_, n) => work(`good${n}`, { agent: 'qa_testing' }))],
    });
    await engine.drain();
    const tasks = await engine.tasks(id);
    const of = (agent: string) => tasks.filter((task) => task.agent === agent);
    expect(of('qa_testing').every(({ state }) => state === 'succeeded')).toBe(true);
    const stopped = of('technical_writer').filter((task) => task.attempts.length === 0);
    expect(stopped).toHaveLength(12 - THRESHOLD);
    expect(stopped.every(({ state }) => state === 'ready')).toBe(true);
    expect(await circuit(agentCircuit(TENANT, 'technical_writer'))).toMatchObject({
      state: 'open',
      reason: expect.stringContaining('internal'),
    });
    expect(await circuit(agentCircuit(TENANT, 'qa_testing'))).toBeUndefined();
    expect(await circuit(providerCircuit('script'))).toBeUndefined();
  });

  it('does not blame an agent for its provider, for lost machines or for what people asked', async () => {
    const codes: FailureCode[] = ['model_unavailable', 'lost', 'invalid_input', 'conflict'];
    await start({ play: (task) => failing(codes[Number(task.slice(1)) % codes.length] ?? 'lost') });
    await engine.submit({ plan: Array.from({ length: 24 }, (_, n) => work(`t${n}`, { optional: true })) });
    await engine.drain();
    expect(await circuit(agentCircuit(TENANT, 'technical_writer'))).toBeUndefined();
  });

  it('takes a fallback model when one is not there, and records both', async () => {
    const provider = createProvider();
    await start({ model: provider.model, work: (open) => callOnce(open) });
    let first = '';
    provider.refuse = (model) => {
      first ||= model;
      return model === first ? overloaded() : undefined;
    };
    const { id } = await engine.submit({ plan: [work('api')] });
    await engine.drain();
    await later(10_000);
    const task = await engine.task(id, 'api');
    expect(task.state).toBe('succeeded');
    expect(task.attempts[0]).toMatchObject({
      model: first,
      exit: { code: 'model_unavailable', remedy: 'fallback_model' },
    });
    expect(task.attempts[1]?.model).toBeDefined();
    expect(task.attempts[1]?.model).not.toBe(first);
  });

  it('passes a model that is gone over in every later task, without an attempt', async () => {
    const provider = createProvider();
    await start({ model: provider.model, work: (open) => callOnce(open) });
    let gone = '';
    provider.refuse = (model) => {
      gone ||= model;
      return model === gone ? new PenstockError('not_found', `${model} does not exist`) : undefined;
    };
    const { id } = await engine.submit({ plan: [work('a'), work('b', { dependencies: ['a'] })] });
    await engine.drain();
    await later(10_000);
    expect((await engine.task(id, 'a')).attempts.map(({ exit }) => exit?.code)).toEqual([
      'model_unavailable',
      undefined,
    ]);
    const [only, ...more] = (await engine.task(id, 'b')).attempts;
    expect(more).toEqual([]);
    expect(only).toMatchObject({ exit: { outcome: 'succeeded' } });
    expect(only?.model).not.toBe(gone);
  });

  it('waits as long as the provider asked before it tries again', async () => {
    const provider = createProvider();
    await start({ model: provider.model, work: (open) => callOnce(open) });
    provider.refuse = () => overloaded(45_000);
    const { id } = await engine.submit({ plan: [work('api')] });
    await engine.drain();
    expect((await engine.task(id, 'api')).notBefore).toBe(engine.clock.now() + 45_000);
  });

  it('stops a run whose tasks all fail the same way after one attempt each, and says why', async () => {
    await start({ play: () => failing('empty_output', 'no file was changed') });
    await engine.ports.store.create(refs.settings(TENANT), { v: 1, circuitFailures: 1_000 });
    const { id } = await engine.submit({
      plan: Array.from({ length: 10 }, (_, n) => work(`t${n}`, { optional: true })),
    });
    await engine.drain();
    for (let n = 0; n < 10; n += 1) await later(60_000);
    const tasks = await engine.tasks(id);
    const ended = tasks.filter((task) => task.state === 'failed');
    expect(ended).toHaveLength(10);
    // The first three could not know; each of them failed the same way once more.
    expect(tasks.reduce((sum, task) => sum + task.attempts.length, 0)).toBe(13);
    expect(ended.map((task) => task.attempts.at(-1)?.exit?.message)).toEqual(
      ended.map(() => expect.stringMatching(/the same failure came .* without progress; no further attempt/)),
    );
  });

  it('forgets how a task failed once it succeeds', async () => {
    await start({ play: (_task, generation) => (generation === 1 ? failing('internal') : DONE) });
    const { id } = await engine.submit({ plan: [work('api')] });
    await engine.drain();
    expect((await engine.task(id, 'api')).signature).toMatch(/^[0-9a-f]{16}$/);
    await later(10_000);
    const task = await engine.task(id, 'api');
    expect(task).toMatchObject({ state: 'succeeded' });
    expect(task.signature).toBeUndefined();
  });

  it('asks a person about money, unless the tenant wants the task to fail', async () => {
    await start({ play: () => failing('budget', 'no money left') });
    const asked = await engine.submit({ plan: [work('api')] });
    await engine.drain();
    const blocked = await engine.task(asked.id, 'api');
    expect(blocked).toMatchObject({ state: 'blocked', live: true, settled: false, leaseUntil: 0 });
    expect(blocked.history.map(({ note }) => note)).toContain('budget: no money left');
    expect(blocked.decision).toBeDefined();
    engine.clock.advance(5_000);
    await engine.ports.store.create(refs.settings(TENANT), { v: 1, onBudget: 'fail' });
    const other = await engine.submit({ plan: [work('api')] });
    await engine.drain();
    expect(await engine.task(other.id, 'api')).toMatchObject({ state: 'failed', live: false });
  });

  it('tells the next attempt to split what ran out of turns on the largest model', async () => {
    const told: (string | undefined)[] = [];
    const models: string[] = [];
    await start({
      work: async (open) => {
        const { brief } = (await open()).attempt;
        told.push(brief.strategy);
        models.push(brief.model.id);
        return told.length < 3 ? failing('turn_limit', 'out of turns') : DONE;
      },
    });
    const { id } = await engine.submit({ plan: [work('api')] });
    await engine.drain();
    for (let n = 0; n < 3; n += 1) await later(60_000);
    const task = await engine.task(id, 'api');
    expect(task.attempts.map(({ exit }) => exit?.remedy)).toEqual(['larger_model', 'split', undefined]);
    expect(told).toEqual([undefined, undefined, 'split']);
    expect(new Set(models).size).toBe(2);
    expect(models[2]).toBe(models[1]);
  });
});
