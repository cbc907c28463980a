import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { setImmediate as turn } from 'node:timers/promises';
import { createOpenTelemetryTrace } from '../../../../shared/adapters/opentelemetry/opentelemetry-trace.ts';
import type { SpanExportConfig } from '../../../../shared/adapters/opentelemetry/span-export.ts';
import type { SpanStart, Trace } from '../../../../shared/ports/trace.ts';
import { parseTraceparent } from '../../../../shared/ports/traceparent.ts';
import { type SpanCollector, startSpanCollector } from '../../../support/span-collector.ts';

const traceId = '4bf92f3577b34da6a3ce929d0e0e4736';
const spanId = '00f067aa0ba902b7';
const traceparent = `00-${traceId}-${spanId}-01`;

/** The context that a span is worked in. */
async function within(trace: Trace, start: Partial<SpanStart>) {
  const current = await trace.span({ name: 'some', parent: undefined, ...start }, async () => {
    await turn();
    return trace.current();
  });
  const context = parseTraceparent(current);
  if (context === undefined) throw new Error(`${current} is no traceparent`);
  return context;
}

describe('Traces without an exporter', () => {
  let trace: Trace;
  beforeEach(async () => {
    trace = await createOpenTelemetryTrace();
  });

  it('have no context outside a span', async () => {
    expect(trace.current()).toBeUndefined();
    await within(trace, {});
    expect(trace.current()).toBeUndefined();
  });

  it('begin with a new trace that nobody keeps', async () => {
    const [first, second] = [await within(trace, {}), await within(trace, {})];
    expect(first.isSampled).toBe(false);
    expect(first.traceId).not.toBe(second.traceId);
    expect(first.spanId).not.toBe(second.spanId);
  });

  it('go on as they came, so that neighbours who keep spans find their parents', async () => {
    expect(await within(trace, { parent: traceparent })).toEqual({ traceId, spanId, isSampled: true });
  });

  it('begin anew where what came is no traceparent', async () => {
    expect((await within(trace, { parent: `${traceparent}-more` })).traceId).not.toBe(traceId);
  });

  it('go on from outside without what an outsider decided', async () => {
    expect(await within(trace, { parent: traceparent, isForeign: true })).toEqual({
      traceId,
      spanId,
      isSampled: false,
    });
  });

  it('stay apart where spans are under way at the same time', async () => {
    const parents = Array.from(
      { length: 20 },
      (_, n) => `00-${traceId}-${String(n + 1).padStart(16, '0')}-00`,
    );
    const seen = await Promise.all(parents.map((parent) => within(trace, { parent })));
    expect(seen.map((context) => context.spanId)).toEqual(parents.map((parent) => parent.slice(36, 52)));
  });

  it('hand on what the work answers and throws', async () => {
    const start = { name: 'some', parent: undefined };
    expect(await trace.span(start, () => Promise.resolve(7))).toBe(7);
    const error = new Error('it broke');
    await expect(trace.span(start, () => Promise.reject(error))).rejects.toBe(error);
  });
});

describe('Traces with an exporter', () => {
  let collector: SpanCollector;
  let lost: string[];
  beforeEach(async () => {
    lost = [];
    collector = await startSpanCollector();
  });
  afterEach(() => collector.stop());

  const open = (more: Partial<SpanExportConfig> = {}) =>
    createOpenTelemetryTrace({
      exported: {
        url: `${collector.url}/v1/traces`,
        service: 'some-function',
        ratio: 1,
        isFrozenAfterAnswer: false,
        onLost: (reason) => lost.push(reason),
        ...more,
      },
    });

  it('send each span with its parent, its fields and what it failed with, and no secret', async () => {
    const trace = await open();
    const secret = `ghp_${'a1B2c3D4e5'.repeat(4).slice(0, 36)}`;
    await trace.span(
      { name: 'outer', parent: traceparent, fields: { tenant: 't', task: undefined } },
      async (outer) => {
        outer.note({ generation: 2 });
        const inner = trace.span({ name: 'inner', parent: trace.current() }, () =>
          Promise.reject(new Error(`refused ${secret}`)),
        );
        await expect(inner).rejects.toThrow('refused');
      },
    );
    await trace.close();
    const [inner, outer] = collector.spans();
    expect(outer).toMatchObject({
      service: 'some-function',
      name: 'outer',
      traceId,
      parentSpanId: spanId,
      attributes: { tenant: 't', generation: 2 },
      failure: undefined,
    });
    expect(outer?.attributes).not.toHaveProperty('task');
    expect(inner).toMatchObject({ name: 'inner', traceId, parentSpanId: outer?.spanId });
    expect(inner?.failure).toContain('refused');
    expect(JSON.stringify(collector.spans())).not.toContain(secret);
    expect(lost).toEqual([]);
  });

  it('mark a span that failed without throwing', async () => {
    const trace = await open();
    await trace.span({ name: 'some', parent: undefined }, (span) => Promise.resolve(span.fail('no result')));
    await trace.close();
    expect(collector.spans()).toMatchObject([{ name: 'some', parentSpanId: '', failure: 'no result' }]);
  });

  it('keep what the caller of our own keeps, and nothing else of it', async () => {
    const trace = await open();
    await within(trace, { name: 'kept', parent: traceparent });
    await within(trace, { name: 'not kept', parent: traceparent.replace(/1$/, '0') });
    await trace.close();
    expect(collector.spans().map(({ name }) => name)).toEqual(['kept']);
  });

  it.each([
    [1, '0', 1],
    [0, '1', 0],
  ])('decide themselves what is kept of outsiders: share %d, flag %s', async (ratio, flag, kept) => {
    const trace = await open({ ratio });
    const seen = await within(trace, { parent: traceparent.replace(/1$/, flag), isForeign: true });
    await trace.close();
    expect(seen).toMatchObject({ traceId, isSampled: kept === 1 });
    expect(collector.spans()).toHaveLength(kept);
  });

  it('are sent before the answer where the process may stand still after it', async () => {
    const trace = await open({ isFrozenAfterAnswer: true });
    await trace.span({ name: 'message', kind: 'consumer', parent: undefined }, () =>
      within(trace, { name: 'part', parent: trace.current() }),
    );
    expect(collector.spans().map(({ name }) => name)).toEqual(['part', 'message']);
    await trace.close();
  });

  it('hold up no answer for long where nobody takes them', async () => {
    collector.hang();
    const trace = await open({ isFrozenAfterAnswer: true });
    const begun = performance.now();
    await within(trace, { kind: 'server' });
    expect(performance.now() - begun).toBeLessThan(2_000);
    // Nobody waits for the collector here either.
    void trace.close();
  });

  it('say how many spans were lost', async () => {
    collector.refuse(400);
    const trace = await open();
    await within(trace, {});
    await trace.close();
    expect(lost).toEqual([expect.stringContaining('spans that were not sent: 1, Bad Request')]);
  });
});
