import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { agentExecution } from '../../functions/agent-execution/agent-execution.ts';
import { sweep } from '../../functions/sweep/sweep.ts';
import type { AttemptResultInput } from '../../shared/messages/attempt-api.ts';
import { PenstockError } from '../../shared/ports/penstock-error.ts';
import { onMessage } from '../../shared/runtime/on-message.ts';
import { type CollectedSpan, type SpanCollector, startSpanCollector } from '../support/span-collector.ts';
import { type FunctionRuntime, openRuntime } from './function-door.ts';
import { executingRun, TENANT } from './seed.ts';

const traceparent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';

describe('What goes wrong', () => {
  let collector: SpanCollector;
  let runtime: FunctionRuntime;
  let answer: () => AttemptResultInput;
  let breakdown: Error | undefined;
  beforeEach(async () => {
    breakdown = undefined;
    collector = await startSpanCollector();
    runtime = await openRuntime({
      env: { OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: `${collector.url}/v1/traces` },
      work: () => Promise.resolve(answer()),
      decorate: (ports) => ({
        ...ports,
        store: {
          ...ports.store,
          query: (query) => (breakdown === undefined ? ports.store.query(query) : Promise.reject(breakdown)),
        },
      }),
    });
  });
  afterEach(async () => {
    await runtime.remove();
    await collector.stop();
  });

  const spans = async (): Promise<Pick<CollectedSpan, 'name' | 'failure'>[]> => {
    await runtime.ports.trace.close();
    return collector.spans().map(({ name, failure }) => ({ name, failure }));
  };
  const execute = async (message: unknown): Promise<void> =>
    onMessage(agentExecution, runtime.ports, {
      messageId: 'm',
      message,
      attributes: { tenant: TENANT, traceparent },
    });
  const dispatched = async () => ({
    v: 1,
    tenant: TENANT,
    run: (await executingRun(runtime)).id,
    task: 'first',
    generation: 1,
  });

  it('is told by the span of an attempt that failed, though its message was handled', async () => {
    answer = () => ({ outcome: 'failed', failure: { code: 'empty_output', message: 'it said nothing' } });
    await execute(await dispatched());
    expect(await spans()).toEqual([
      { name: 'attempt', failure: 'empty_output: it said nothing' },
      { name: 'agent-execution', failure: undefined },
    ]);
  });

  it('is told by the span of a message that no topic takes', async () => {
    await execute({ v: 2 });
    expect(await spans()).toEqual([
      { name: 'agent-execution', failure: expect.stringContaining('not a task-dispatched message') },
    ]);
  });

  it.each([
    ['for good', new PenstockError('forbidden', 'the key was withdrawn')],
    ['for now', new Error('nobody foresaw this')],
  ])('is told by the span of a delivery that failed %s', async (_, error) => {
    const fn = { ...agentExecution, handle: () => Promise.reject(error) };
    const incoming = { messageId: 'm', message: await dispatched(), attributes: { tenant: TENANT } };
    await onMessage(fn, runtime.ports, incoming).catch(() => undefined);
    expect(await spans()).toEqual([{ name: 'agent-execution', failure: error.message }]);
  });

  it('is told by the span of a request that was answered 5xx, and not of one that was refused', async () => {
    const app = sweep.app(runtime);
    expect((await app.request('/internal/sweep')).status).toBe(404);
    breakdown = new PenstockError('unavailable', 'the store is away', { retry: 'later' });
    expect((await app.request('/internal/sweep', { method: 'POST' })).status).toBe(503);
    expect(await spans()).toEqual([
      { name: 'sweep GET', failure: undefined },
      { name: 'sweep POST', failure: 'the store is away' },
    ]);
  });
});
