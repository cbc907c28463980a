import { afterEach, describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import { createAnthropicModel } from '../../../../shared/adapters/anthropic/anthropic-model.ts';
import { startScriptServer } from '../../../../shared/adapters/script/script-server.ts';
import type { Log } from '../../../../shared/ports/log.ts';
import type { Turn } from '../../../../shared/ports/model.ts';
import { modelContract, requestOf, type Fault } from '../../../contract/model-contract.ts';
import {
  failed,
  startFakeAnthropic,
  streamed,
  type FakeAnthropic,
  type FakeCall,
  type FakeReply,
} from '../../../support/fake-anthropic.ts';

const warnings: string[] = [];
const log: Log = {
  debug: () => undefined,
  info: () => undefined,
  warn: (message) => void warnings.push(message),
  error: () => undefined,
  with: () => log,
};

const eventStream = { 'content-type': 'text/event-stream' };
const started =
  'event: message_start\ndata: {"type":"message_start","message":{"id":"m","type":"message","role":"assistant","model":"x","content":[],"stop_reason":null,"stop_sequence":null,"usage":{"input_tokens":1,"output_tokens":0}}}\n\n';
const faults: Record<Fault, FakeReply> = {
  rate_limited: failed(429, 'rate_limit_error', { 'retry-after': '30' }),
  overloaded: failed(529, 'overloaded_error', { 'retry-after': '30' }),
  server_error: failed(500, 'api_error', { 'retry-after-ms': '5' }),
  hangs: { headers: eventStream, body: started, ending: 'hang' },
  garbage: { headers: eventStream, body: 'event: message_start\ndata: {"type": nonsense\n\n' },
  reset: { ending: 'reset' },
  cut_short: { headers: eventStream, body: started },
  unknown_model: failed(404, 'not_found_error'),
  bad_key: failed(401, 'authentication_error'),
  bad_request: failed(400, 'invalid_request_error'),
};

modelContract('the Anthropic adapter', {
  withScript: async (script) => {
    const { url: baseUrl, stop } = await startScriptServer({ script });
    return { model: createAnthropicModel({ apiKey: 'none', baseUrl, provider: 'script', log }), stop };
  },
  withFault: async (fault) => {
    const { url: baseUrl, stop } = await startFakeAnthropic(() => faults[fault]);
    return { model: createAnthropicModel({ apiKey: 'key', baseUrl, log }), stop };
  },
});

const thinking = { type: 'thinking', thinking: 'Adding first.', signature: 'c2lnbmVk' };
const redacted = { type: 'redacted_thinking', data: 'b3BhcXVl' };
const text = { type: 'text', text: 'Hello', citations: null };

const CACHE_MARK = ',"cache_control":{"type":"ephemeral"}';

function followUp(turn: Turn): Turn[] {
  return [...requestOf().turns, turn, { role: 'user', blocks: [{ type: 'text', text: 'Go on.' }] }];
}

function flaky(_: FakeCall, earlier: number): FakeReply {
  return earlier < 2 ? faults.server_error : streamed([text], 'end_turn');
}

const sentBody = z.looseObject({
  messages: z.array(z.looseObject({ content: z.unknown() })),
  output_config: z.object({ format: z.record(z.string(), z.unknown()) }).optional(),
});

describe('the Anthropic adapter', () => {
  let fake: FakeAnthropic | undefined;
  afterEach(async () => {
    await fake?.stop();
  });
  const start = async (reply: (call: FakeCall, earlier: number) => FakeReply) => {
    fake = await startFakeAnthropic(reply);
    return createAnthropicModel({ apiKey: 'key-1', baseUrl: fake.url, log });
  };
  const sent = (call: number) => sentBody.parse(fake?.calls[call]?.body);
  it('sends signed and unknown blocks back exactly as they came', async () => {
    const model = await start(() => streamed([thinking, redacted, text], 'end_turn'));
    const { turn } = await model.answer(requestOf());
    expect(turn.blocks.map((block) => block.type)).toEqual(['thinking', 'opaque', 'text']);
    const throughATranscript: Turn = JSON.parse(JSON.stringify(turn));
    await model.answer(requestOf({ turns: followUp(throughATranscript) }));
    expect(sent(1).messages[1]).toEqual({ role: 'assistant', content: [thinking, redacted, text] });
  });

  it('leaves signed blocks out when another model goes on, and says so', async () => {
    const model = await start(() => streamed([thinking, redacted, text], 'end_turn'));
    const { turn } = await model.answer(requestOf());
    warnings.length = 0;
    await model.answer(requestOf({ model: 'claude-opus-5-5', turns: followUp(turn) }));
    expect(sent(1).messages[1]).toEqual({ role: 'assistant', content: [text] });
    expect(warnings).toEqual(['blocks of another model were left out']);
  });

  it('keeps the prefix of a conversation byte for byte, apart from the moving cache mark', async () => {
    const model = await start(() => streamed([text], 'end_turn'));
    const { turn } = await model.answer(requestOf());
    await model.answer(requestOf({ turns: followUp(turn) }));
    const bytes = [sent(0), sent(1)].map(({ messages, ...prefix }) => [
      JSON.stringify(prefix),
      JSON.stringify(messages[0]).replace(CACHE_MARK, ''),
    ]);
    expect(bytes[1]).toEqual(bytes[0]);
    expect(fake?.calls[1]?.body).toMatchObject({
      system: [{ type: 'text', cache_control: { type: 'ephemeral' } }],
      messages: [{}, {}, { content: [{ text: 'Go on.', cache_control: { type: 'ephemeral' } }] }],
    });
  });

  it('asks for structured output with only what the API supports of a schema', async () => {
    const model = await start(() => streamed([{ type: 'text', text: '{}' }], 'end_turn'));
    const outputSchema = { type: 'object', properties: { a: { type: 'string', maxLength: 3 } } };
    await model.answer(requestOf({ outputSchema }));
    const format = sent(0).output_config?.format;
    expect(format).toMatchObject({
      type: 'json_schema',
      schema: { additionalProperties: false },
    });
    expect(JSON.stringify(format?.['schema'])).not.toContain('"maxLength":');
  });

  it('continues a turn that the provider paused, and adds up what it cost', async () => {
    const usage = { input_tokens: 10, output_tokens: 5, cache_read_input_tokens: 2 };
    const model = await start((_, n) => streamed([text], n === 0 ? 'pause_turn' : 'end_turn', usage));
    const answer = await model.answer(requestOf());
    expect(answer).toMatchObject({
      stop: 'end',
      usage: { input: 20, output: 10, cacheRead: 4, cacheWrite: 0 },
    });
    expect(answer.turn.blocks).toHaveLength(2);
    expect(sent(1).messages[1]).toMatchObject({ role: 'assistant' });
  });

  it('tries twice again after a short failure, and not after a long one', async () => {
    expect((await (await start(flaky)).answer(requestOf())).stop).toBe('end');
    expect(fake?.calls).toHaveLength(3);
    await fake?.stop();
    await expect((await start(() => faults.rate_limited)).answer(requestOf())).rejects.toThrow(
      'rate_limit_error',
    );
    expect(fake?.calls).toHaveLength(1);
  });

  it('names the key that was refused', async () => {
    const model = await start(() => faults.bad_key);
    await expect(model.answer(requestOf())).rejects.toThrow('ANTHROPIC_API_KEY');
    expect(fake?.calls[0]?.headers['authorization'] ?? fake?.calls[0]?.headers['x-api-key']).toContain(
      'key-1',
    );
  });

  it.each([
    [402, 'budget', 'budget'],
    [409, 'stale', 'stale'],
    [401, 'unauthenticated', 'unauthenticated'],
  ])('passes on %i %s of our own attempts API, without a second try', async (status, code, expected) => {
    const body = JSON.stringify({
      type: 'about:blank',
      title: code,
      status,
      detail: 'No allowance is left.',
      code,
    });
    fake = await startFakeAnthropic(() => ({
      status,
      headers: { 'content-type': 'application/problem+json' },
      body,
    }));
    const model = createAnthropicModel({ authToken: 'attempt-token', baseUrl: fake.url, log });
    const error = {
      code: expected,
      retry: 'never',
      message: expect.stringContaining('No allowance is left.'),
    };
    await expect(model.answer(requestOf())).rejects.toMatchObject(error);
    expect(fake.calls).toHaveLength(1);
    expect(fake.calls[0]?.headers['authorization']).toBe('Bearer attempt-token');
  });

  it('does not take an account without credit for a spent budget', async () => {
    const model = await start(() => failed(402, 'billing_error'));
    await expect(model.answer(requestOf())).rejects.toMatchObject({ code: 'forbidden' });
  });

  it('understands an error in the middle of a stream', async () => {
    const event =
      'event: error\ndata: {"type":"error","error":{"type":"overloaded_error","message":"busy"}}\n\n';
    const model = await start(() => ({ headers: eventStream, body: started + event }));
    await expect(model.answer(requestOf())).rejects.toMatchObject({ code: 'unavailable', retry: 'later' });
  });

  it('says that a prompt is too long for the model', async () => {
    const body =
      '{"type":"error","error":{"type":"invalid_request_error","message":"prompt is too long: 2 > 1"}}';
    const model = await start(() => ({ status: 400, headers: { 'content-type': 'application/json' }, body }));
    await expect(model.answer(requestOf())).rejects.toMatchObject({ code: 'too_large', retry: 'never' });
  });

  it('says that nobody listens at the base URL', async () => {
    const model = createAnthropicModel({ apiKey: 'k', baseUrl: 'http://127.0.0.1:9', log });
    await expect(model.answer(requestOf())).rejects.toMatchObject({ code: 'unavailable', retry: 'later' });
  });

  it('refuses to start without a credential, and with two', () => {
    expect(() => createAnthropicModel({ log })).toThrow('API key');
    expect(() => createAnthropicModel({ apiKey: 'a', authToken: 'b', log })).toThrow('not both');
  });
});
