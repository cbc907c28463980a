import { afterEach, describe, expect, it } from '@jest/globals';
import { createAnthropicModel } from '../../../../shared/adapters/anthropic/anthropic-model.ts';
import { createMessagesGateway } from '../../../../shared/adapters/anthropic/messages-gateway.ts';
import { createRecordingFetch } from '../../../../shared/adapters/script/recording-fetch.ts';
import { parseScript, type Script } from '../../../../shared/adapters/script/script-file.ts';
import { startScriptServer } from '../../../../shared/adapters/script/script-server.ts';
import type { Block, Model, ModelAnswer, ModelRequest, Turn } from '../../../../shared/ports/model.ts';
import { requestOf } from '../../../contract/model-contract.ts';
import { silent } from '../../../support/engine.ts';
import { failed, startFakeAnthropic, streamed, type FakeReply } from '../../../support/fake-anthropic.ts';

const NOW = Date.parse('2026-11-20T10:00:00Z');
const KEY = 'sk-ant-very-secret';

const said = ({ turn, stop, usage }: ModelAnswer) => ({
  blocks: turn.blocks.flatMap((block): unknown[] => {
    if (block.type === 'tool_use') return [{ name: block.name, input: block.input }];
    return block.type === 'text' ? [block.text] : [];
  }),
  stop,
  usage,
});

const event = (type: string, data: object): string =>
  `event: ${type}\ndata: ${JSON.stringify({ type, ...data })}\n\n`;

/** As the real API streams: text and the input of tools come in pieces. */
function inPieces(): FakeReply {
  const usage = {
    input_tokens: 3,
    output_tokens: 1,
    cache_read_input_tokens: 0,
    cache_creation_input_tokens: 900,
  };
  const message = {
    id: 'msg_1',
    type: 'message',
    role: 'assistant',
    model: 'claude-sonnet-5-5',
    content: [],
    stop_reason: null,
    usage,
  };
  const block = (index: number, content_block: object, ...deltas: object[]) => [
    event('content_block_start', { index, content_block }),
    ...deltas.map((delta) => event('content_block_delta', { index, delta })),
    event('content_block_stop', { index }),
  ];
  const json = (partial_json: string) => ({ type: 'input_json_delta', partial_json });
  const events = [
    event('message_start', { message }),
    event('ping', {}),
    ...block(
      0,
      { type: 'thinking', thinking: '', signature: '' },
      { type: 'thinking_delta', thinking: 'hm' },
      { type: 'signature_delta', signature: 'c2ln' },
    ),
    ...block(
      1,
      { type: 'text', text: '' },
      { type: 'text_delta', text: 'Looking: "a"\n' },
      { type: 'text_delta', text: '\t{{ü}}' },
    ),
    ...block(
      2,
      { type: 'tool_use', id: 'toolu_live1', name: 'read_file', input: {} },
      json(''),
      json('{"path":"a: b'),
      json(' #c.js"}'),
    ),
    ...block(3, { type: 'tool_use', id: 'toolu_live2', name: 'run_tests', input: {} }),
    event('message_delta', { delta: { stop_reason: 'tool_use' }, usage: { output_tokens: 40 } }),
    event('message_stop', {}),
  ];
  return { headers: { 'content-type': 'text/event-stream' }, body: events.join('') };
}

const live = [
  inPieces(),
  streamed([{ type: 'text', text: 'Cut' }], 'max_tokens'),
  streamed([{ type: 'text', text: '{"verdict":"approve"}' }], 'end_turn'),
];

async function converse(
  model: Model,
  took: string,
): Promise<{ requests: ModelRequest[]; answers: ModelAnswer[] }> {
  const first = requestOf();
  const one = await model.answer(first);
  const results = one.turn.blocks.flatMap((block): Block[] =>
    block.type === 'tool_use'
      ? [{ type: 'tool_result', toolUseId: block.id, content: `# fail 1 (${took})`, isError: true }]
      : [],
  );
  const turns: Turn[] = [...first.turns, one.turn, { role: 'user', blocks: results }];
  const second = requestOf({ turns });
  const two = await model.answer(second);
  const third = requestOf({ system: 'Agent: code_reviewer', tools: [], outputSchema: { type: 'object' } });
  return { requests: [first, second, third], answers: [one, two, await model.answer(third)] };
}

/** What the gateway sends for a job, which does not stream here. */
const plainBody = (task: string) => ({
  model: 'claude-sonnet-5-5',
  max_tokens: 100,
  system: 'Agent: backend_developer',
  messages: [{ role: 'user', content: `Task: ${task}\nDo it.` }],
});

function plainReply(text: string): FakeReply {
  const usage = { input_tokens: 7, output_tokens: 2, cache_read_input_tokens: null };
  const message = {
    id: 'msg_2',
    type: 'message',
    role: 'assistant',
    model: 'claude-opus-5-5',
    content: [{ type: 'text', text }],
    stop_reason: 'end_turn',
    usage,
  };
  return { headers: { 'content-type': 'application/json' }, body: JSON.stringify(message) };
}

describe('a recording fetch', () => {
  const stops: (() => Promise<void>)[] = [];
  afterEach(async () => {
    await Promise.all(stops.splice(0).map((stop) => stop()));
  });

  async function startRecording(
    reply: Parameters<typeof startFakeAnthropic>[0],
    write?: (text: string) => Promise<void>,
  ) {
    const fake = await startFakeAnthropic(reply);
    stops.push(() => fake.stop());
    const written: string[] = [];
    const fetch = createRecordingFetch({
      name: 'trial',
      fetch: globalThis.fetch,
      now: () => NOW,
      write: write ?? (async (text) => void written.push(text)),
    });
    const model = createAnthropicModel({ apiKey: KEY, baseUrl: fake.url, fetch, log: silent });
    const gateway = createMessagesGateway({ apiKey: KEY, baseUrl: fake.url, fetch });
    const send = async (task: string) => {
      const answer = await gateway.send(
        plainBody(task),
        new Headers({ authorization: 'Bearer job-token' }),
        AbortSignal.timeout(5_000),
      );
      return { status: answer.status, text: await new Response(answer.body).text() };
    };
    return { model, send, written, script: () => parseScript(written.at(-1) ?? '', 'trial.yaml') };
  }

  async function replay(script: Script) {
    const server = await startScriptServer({ script });
    stops.push(() => server.stop());
    const access = { apiKey: 'none', baseUrl: server.url };
    return {
      model: createAnthropicModel({ ...access, provider: 'script', log: silent }),
      gateway: createMessagesGateway(access),
    };
  }

  it('writes a script that gives the same answers to the same conversation, streamed and with tools', async () => {
    const recording = await startRecording((_, n) => live[n] ?? {});
    const { answers, requests } = await converse(recording.model, '12.5ms');
    const script = recording.script();
    expect(script.turns).toHaveLength(3);
    const { model } = await replay(script);
    const again = await converse(model, '9s');
    expect(again.answers.map(said)).toEqual(answers.map(said));
    expect(said(answers[0] ?? (await model.answer(requestOf())))).toMatchObject({
      blocks: [
        'Looking: "a"\n\t{{ü}}',
        { name: 'read_file', input: { path: 'a: b #c.js' } },
        { name: 'run_tests', input: {} },
      ],
      usage: { input: 3, output: 40, cacheWrite: 900 },
    });
    expect(said(await model.answer(requests[1] ?? requestOf()))).toEqual(answers.map(said)[1]);
  });

  it('does not answer a conversation that went differently', async () => {
    const recording = await startRecording((_, n) => live[n] ?? {});
    const { requests } = await converse(recording.model, '1s');
    const { model } = await replay(recording.script());
    const turns = structuredClone(requests[1]?.turns ?? []);
    const result = turns.at(-1)?.blocks[0];
    if (result?.type === 'tool_result') result.content = '# fail 0';
    await expect(model.answer(requestOf({ turns }))).rejects.toThrow(
      'was recorded from another conversation',
    );
  });

  it('writes one script for all jobs that call at the same time, whole after each answer', async () => {
    const recording = await startRecording(({ body }) =>
      plainReply(`for ${JSON.stringify(body['messages']).slice(0, 60)}`),
    );
    const tasks = Array.from({ length: 8 }, (_, n) => `t${n}`);
    const texts = await Promise.all(tasks.map((task) => recording.send(task)));
    expect(recording.written.map((text, n) => parseScript(text, `${n}`).turns.length)).toEqual([
      1, 2, 3, 4, 5, 6, 7, 8,
    ]);
    const { gateway } = await replay(recording.script());
    for (const [n, task] of tasks.entries()) {
      const answer = await gateway.send(plainBody(task), new Headers(), AbortSignal.timeout(5_000));
      const again: unknown = await new Response(answer.body).json();
      const { content } = JSON.parse(texts[n]?.text ?? '{}') as { content: unknown };
      expect(again).toMatchObject({ content, usage: { input_tokens: 7, output_tokens: 2 } });
    }
  });

  it('keeps the newest answer of a conversation that was asked twice', async () => {
    const recording = await startRecording((_, n) => plainReply(`answer ${n}`));
    await recording.send('api');
    await recording.send('api');
    expect(recording.script().turns.map(({ answer }) => answer.text)).toEqual(['answer 1']);
  });

  it('records no key, no token, no thinking, and says what it was recorded from', async () => {
    const recording = await startRecording((_, n) => live[n] ?? plainReply('x'));
    await converse(recording.model, '1s');
    await recording.send('api');
    expect(recording.written.join('\n')).not.toMatch(/very-secret|job-token|c2ln|\bhm\b/);
    expect(recording.script().note).toBe('recorded on 2026-11-20 from claude-sonnet-5-5, claude-opus-5-5');
  });

  it.each<[string, FakeReply]>([
    ['an error', failed(400, 'invalid_request_error')],
    [
      'a stream without its end',
      {
        headers: { 'content-type': 'text/event-stream' },
        body: (inPieces().body ?? '').replace(/event: message_stop[\s\S]*/, ''),
      },
    ],
    ['what is no message', { headers: { 'content-type': 'application/json' }, body: '{"hello":1}' }],
  ])('passes %s by and does not record it', async (_, reply) => {
    const recording = await startRecording(() => reply);
    const { status, text } = await recording.send('api');
    expect(status).toBe(reply.status ?? 200);
    expect(text).toBe(reply.body);
    expect(recording.written).toEqual([]);
  });

  it('leaves token counts alone', async () => {
    const recording = await startRecording(() => ({
      headers: { 'content-type': 'application/json' },
      body: '{"input_tokens":9}',
    }));
    expect(await recording.model.countTokens(requestOf())).toBe(9);
    expect(recording.written).toEqual([]);
  });

  it('fails the answer that cannot be written, so that no hole goes unnoticed', async () => {
    const recording = await startRecording(
      () => plainReply('x'),
      () => Promise.reject(new Error('disk full')),
    );
    await expect(recording.send('api')).rejects.toThrow('disk full');
  });
});
