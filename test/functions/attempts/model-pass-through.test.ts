import { afterEach, describe, expect, it } from '@jest/globals';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { startMessagesServer, type MessagesServer } from '../../../shared/adapters/script/messages-server.ts';
import { type CircuitName, modelCircuit, providerCircuit } from '../../../shared/core/circuits/circuit.ts';
import { refs } from '../../../shared/core/refs.ts';
import { modelById } from '../../../shared/core/models/model-table.ts';
import { priceOf, reservationFor } from '../../../shared/core/models/price.ts';
import type { Meter } from '../../../shared/messages/attempt-api.ts';
import { type JobStage, openJobStage } from './job-player.ts';

const MODEL = 'claude-sonnet-5-5';
const USAGE = { input: 1_000, output: 200, cacheRead: 300, cacheWrite: 40 };
const call = { model: MODEL, max_tokens: 500, messages: [{ role: 'user', content: 'Hello' }] };

/** A provider that answers as the test says; it counts whatever is asked of it. */
async function startBrokenProvider(
  answer: (response: ServerResponse) => void,
  count = (response: ServerResponse) => void response.end('{"input_tokens":100}'),
): Promise<MessagesServer & { asked: () => number }> {
  let asked = 0;
  const server = createServer((request, response) => {
    request.resume();
    asked += 1;
    return request.url?.endsWith('/count_tokens') === true ? count(response) : answer(response);
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const stop = () =>
    new Promise<void>((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, stop, asked: () => asked };
}

const startEvent = `event: message_start\ndata: ${JSON.stringify({ type: 'message_start', message: { usage: { input_tokens: 100, output_tokens: 1 } } })}\n\n`;

describe('A model call of a job', () => {
  let stage: JobStage;
  let provider: MessagesServer;
  afterEach(async () => {
    await stage.stop();
    await provider.stop();
  });

  async function open(server: MessagesServer, budgetUsd?: number): Promise<string> {
    provider = server;
    const model = { provider: 'script', baseUrl: server.url, apiKey: 'the key of the platform' } as const;
    stage = await openJobStage({ model, ...(budgetUsd === undefined ? {} : { budgetUsd }) });
    return (await stage.claim()).token;
  }
  let sent = 0;
  const openAnswering = async (budgetUsd?: number): Promise<string> => {
    sent = 0;
    const answer = () => {
      sent += 1;
      return { blocks: [{ type: 'text' as const, text: 'Hello.' }], stop: 'end' as const, usage: USAGE };
    };
    return open(await startMessagesServer({ answer }), budgetUsd);
  };
  async function meter(): Promise<Meter> {
    const [task] = (await stage.platform.tasks(stage.runId)).filter(({ id }) => id === 'build');
    const found = task?.attempts.at(-1)?.meter;
    if (found === undefined) throw new Error('the attempt has no meter');
    return found;
  }
  /** The meter once the answer's end has been settled, which happens after its last byte. */
  async function settledMeter(): Promise<Meter> {
    for (let tries = 0; tries < 100; tries += 1) {
      const now = await meter();
      if (now.reservedMicroUsd === 0 && now.calls > 0) return now;
      await new Promise((resolve) => setTimeout(resolve, 30));
    }
    return meter();
  }
  const post = (token: string, body: unknown, signal?: AbortSignal) =>
    fetch(`${stage.platform.url}/internal/attempts/model/v1/messages`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-api-key': token },
      body: JSON.stringify(body),
      ...(signal === undefined ? {} : { signal }),
    });
  /** All bytes that come, and whether they ended as they should. */
  async function drain(response: Response): Promise<{ text: string; whole: boolean }> {
    let text = '';
    try {
      for await (const part of response.body ?? []) text += new TextDecoder().decode(part as Uint8Array);
      return { text, whole: true };
    } catch {
      return { text, whole: false };
    }
  }

  it.each([false, true])('is charged what the provider reports (stream: %s)', async (stream) => {
    const token = await openAnswering();
    const response = await post(token, { ...call, stream });
    expect(response.status).toBe(200);
    expect((await drain(response)).text).toContain('Hello.');
    expect(await settledMeter()).toMatchObject({
      usage: USAGE,
      calls: 1,
      reservedMicroUsd: 0,
      spentMicroUsd: priceOf(USAGE, modelById(MODEL)),
    });
  });

  it("never shows the platform's key to the job", async () => {
    const token = await openAnswering();
    const response = await post(token, call);
    const shown = `${await response.text()} ${JSON.stringify([...response.headers])}`;
    expect(shown).not.toContain('the key of the platform');
  });

  it('that the allotment cannot pay is refused with 402, and nothing is sent to the provider', async () => {
    const token = await openAnswering(0.01);
    const response = await post(token, { ...call, max_tokens: 50_000 });
    expect(response.status).toBe(402);
    expect(response.headers.get('content-type')).toBe('application/problem+json');
    expect(await response.json()).toMatchObject({
      code: 'budget',
      detail: expect.stringContaining('allotment'),
    });
    expect(sent).toBe(0);
    expect(await meter()).toMatchObject({ spentMicroUsd: 0, reservedMicroUsd: 0, calls: 0 });
  });

  it('is refused once the allotment is used up', async () => {
    const token = await openAnswering(0.03);
    const statuses: number[] = [];
    for (let n = 0; n < 12; n += 1) {
      const response = await post(token, call);
      statuses.push(response.status);
      await response.text();
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    expect(statuses[0]).toBe(200);
    expect(statuses.at(-1)).toBe(402);
    const { spentMicroUsd, allowanceMicroUsd, calls } = await settledMeter();
    expect(spentMicroUsd).toBeLessThanOrEqual(allowanceMicroUsd);
    expect(calls).toBe(sent);
  });

  it('of ten at once spends no more than the allotment either', async () => {
    const token = await openAnswering(0.03);
    const responses = await Promise.all(Array.from({ length: 10 }, () => post(token, call)));
    await Promise.all(responses.map((response) => response.text()));
    const { spentMicroUsd, allowanceMicroUsd } = await settledMeter();
    expect(spentMicroUsd).toBeLessThanOrEqual(allowanceMicroUsd);
    expect(responses.filter(({ status }) => status === 200)).toHaveLength(sent);
  });

  const reservation = reservationFor(100, call.max_tokens, modelById(MODEL));

  it('whose stream breaks off is charged its whole reservation', async () => {
    const token = await open(
      await startBrokenProvider((response) => {
        response.writeHead(200, { 'content-type': 'text/event-stream' });
        response.write(startEvent, () => setTimeout(() => response.destroy(), 50));
      }),
    );
    const response = await post(token, { ...call, stream: true });
    expect((await drain(response)).text).toContain('message_start');
    expect(await settledMeter()).toMatchObject({ spentMicroUsd: reservation, calls: 1 });
  });

  it('whose stream ends before it says what it used is charged its whole reservation', async () => {
    const token = await open(
      await startBrokenProvider((response) => {
        response.writeHead(200, { 'content-type': 'text/event-stream' });
        response.end(startEvent);
      }),
    );
    await drain(await post(token, { ...call, stream: true }));
    expect(await settledMeter()).toMatchObject({ spentMicroUsd: reservation, calls: 1 });
  });

  it('that the job itself hangs up on is charged its whole reservation', async () => {
    const token = await open(
      await startBrokenProvider((response) => {
        response.writeHead(200, { 'content-type': 'text/event-stream' });
        response.write(startEvent);
      }),
    );
    const hangUp = new AbortController();
    const response = await post(token, { ...call, stream: true }, hangUp.signal);
    await response.body?.getReader().read();
    hangUp.abort();
    expect(await settledMeter()).toMatchObject({ spentMicroUsd: reservation, reservedMicroUsd: 0, calls: 1 });
  });

  it.each([429, 500, 529])(
    'that the provider refuses with %d costs nothing, and the job is told',
    async (status) => {
      const token = await open(
        await startBrokenProvider((response) => {
          response.writeHead(status, { 'content-type': 'application/json', 'retry-after': '7' });
          response.end('{"type":"error","error":{"type":"overloaded_error","message":"busy"}}');
        }),
      );
      const response = await post(token, call);
      expect(response.status).toBe(status);
      expect(response.headers.get('retry-after')).toBe('7');
      expect(await response.text()).toContain('busy');
      expect(await meter()).toMatchObject({ spentMicroUsd: 0, reservedMicroUsd: 0 });
    },
  );

  const circuitOf = async (name: CircuitName) =>
    (await stage.platform.ports.store.get(refs.circuit(name)))?.data;

  it.each([401, 529])(
    'that the provider refuses with %d to everybody alike opens its circuit',
    async (status) => {
      const token = await open(
        await startBrokenProvider((response) => {
          response.writeHead(status, { 'content-type': 'application/json', 'retry-after': '300' });
          response.end('{"type":"error","error":{"type":"some_error","message":"no"}}');
        }),
      );
      for (let calls = 0; calls < 5; calls += 1) {
        expect(await circuitOf(providerCircuit('script'))).toBeUndefined();
        await (await post(token, call)).text();
      }
      const opened = await circuitOf(providerCircuit('script'));
      expect(opened).toMatchObject({ state: 'open', reason: expect.stringContaining(`HTTP ${status}`) });
      expect((opened?.retryAt ?? 0) - (opened?.since ?? 0)).toBe(300_000);
    },
  );

  it('that is wrong in itself says nothing of the provider', async () => {
    const token = await open(
      await startBrokenProvider((response) => {
        response.writeHead(400, { 'content-type': 'application/json' });
        response.end('{"type":"error","error":{"type":"invalid_request_error","message":"no"}}');
      }),
    );
    for (let calls = 0; calls < 8; calls += 1) await (await post(token, call)).text();
    expect(await circuitOf(providerCircuit('script'))).toBeUndefined();
  });

  it('whose streams break off five times in a row opens the circuit of the provider', async () => {
    const token = await open(
      await startBrokenProvider((response) => {
        response.writeHead(200, { 'content-type': 'text/event-stream' });
        response.end(startEvent);
      }),
    );
    for (let calls = 0; calls < 5; calls += 1) await drain(await post(token, { ...call, stream: true }));
    await settledMeter();
    expect(await circuitOf(providerCircuit('script'))).toMatchObject({ state: 'open' });
  });

  it('of a model that is gone opens the circuit of that model, and the attempt says which it was', async () => {
    const token = await open(
      await startBrokenProvider(
        () => undefined,
        (response) => {
          response.writeHead(404, { 'content-type': 'application/json' });
          response.end('{"type":"error","error":{"type":"not_found_error","message":"gone"}}');
        },
      ),
    );
    const response = await post(token, call);
    expect(response.status).toBe(404);
    expect(await circuitOf(modelCircuit(MODEL))).toMatchObject({ state: 'open' });
    expect(await circuitOf(providerCircuit('script'))).toBeUndefined();
    const [task] = (await stage.platform.tasks(stage.runId)).filter(({ id }) => id === 'build');
    expect(task?.attempts.at(-1)).toMatchObject({ model: MODEL, meter: { spentMicroUsd: 0, calls: 0 } });
  });

  it('of a model without a price is refused before anything is sent', async () => {
    const token = await openAnswering();
    const response = await post(token, { ...call, model: 'somebody-elses-model' });
    expect(response.status).toBeGreaterThanOrEqual(400);
    expect(await response.json()).toMatchObject({ detail: expect.stringContaining('somebody-elses-model') });
    expect(sent).toBe(0);
  });

  it.each([
    {},
    { model: MODEL },
    { ...call, max_tokens: 0 },
    { ...call, max_tokens: -5 },
    { ...call, max_tokens: 1.5 },
  ])('of another shape is refused: %#', async (body) => {
    const token = await openAnswering();
    expect((await post(token, body)).status).toBe(400);
    expect(sent).toBe(0);
  });

  it('with a token that holds nothing never reaches the provider, not even to count', async () => {
    const broken = await startBrokenProvider((response) => response.end('{}'));
    const token = await open(broken);
    expect((await post(token.replace(/[^.]+$/, 'guessed'), call)).status).toBe(409);
    expect(broken.asked()).toBe(0);
  });
});
