import { afterEach, describe, expect, it } from '@jest/globals';
import { createAnthropicModel } from '../../../../shared/adapters/anthropic/anthropic-model.ts';
import { recordAnswers } from '../../../../shared/adapters/script/record-answers.ts';
import { parseScript, type Script } from '../../../../shared/adapters/script/script-file.ts';
import { startScriptServer } from '../../../../shared/adapters/script/script-server.ts';
import type { Log } from '../../../../shared/ports/log.ts';
import type { Block, Model, ModelAnswer, ModelRequest, Turn } from '../../../../shared/ports/model.ts';
import { requestOf } from '../../../contract/model-contract.ts';
import { startFakeAnthropic, streamed } from '../../../support/fake-anthropic.ts';

const silent: Log = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
  with: () => silent,
};
const said = ({ turn, stop, usage }: ModelAnswer) => ({
  blocks: turn.blocks.flatMap((block): unknown[] => {
    if (block.type === 'tool_use') return [{ name: block.name, input: block.input }];
    return block.type === 'text' ? [block.text] : [];
  }),
  stop,
  usage,
});

/** One live conversation: thinking and two tool uses, a tool error, an end; then structured output. */
const live = [
  streamed(
    [
      { type: 'thinking', thinking: 'hm', signature: 'c2ln' },
      { type: 'text', text: 'Looking: "a"\n\t{{b}}' },
      { type: 'tool_use', id: 'toolu_live1', name: 'read_file', input: { path: 'a: b #c.js' } },
      { type: 'tool_use', id: 'toolu_live2', name: 'run_tests', input: {} },
    ],
    'tool_use',
    { input_tokens: 3, output_tokens: 40, cache_read_input_tokens: 0, cache_creation_input_tokens: 900 },
  ),
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

describe('recordAnswers', () => {
  const stops: (() => Promise<void>)[] = [];
  afterEach(async () => {
    await Promise.all(stops.splice(0).map((stop) => stop()));
  });
  const record = async () => {
    const fake = await startFakeAnthropic((_, n) => live[n] ?? {});
    stops.push(() => fake.stop());
    const written: string[] = [];
    const now = Date.parse('2026-11-20T10:00:00Z');
    const inner = createAnthropicModel({ apiKey: 'k', baseUrl: fake.url, log: silent });
    const model = recordAnswers(inner, {
      name: 'trial',
      now,
      write: async (text) => void written.push(text),
    });
    return { ...(await converse(model, '12.5ms')), written };
  };
  const replay = async (script: Script) => {
    const server = await startScriptServer({ script });
    stops.push(() => server.stop());
    return createAnthropicModel({ apiKey: 'none', baseUrl: server.url, provider: 'script', log: silent });
  };

  it('writes a script that gives the same answers to the same conversation', async () => {
    const { answers, requests, written } = await record();
    const script = parseScript(written.at(-1) ?? '', 'trial.yaml');
    expect(script.turns).toHaveLength(3);
    const model = await replay(script);
    const again = await converse(model, '9s');
    expect(again.answers.map(said)).toEqual(answers.map(said));
    const last = requests[1];
    expect(said(await model.answer(last ?? requestOf()))).toEqual(answers.map(said)[1]);
  });

  it('does not answer a conversation that went differently', async () => {
    const { written, requests } = await record();
    const model = await replay(parseScript(written.at(-1) ?? '', 'trial.yaml'));
    const turns = structuredClone(requests[1]?.turns ?? []);
    const result = turns.at(-1)?.blocks[0];
    if (result?.type === 'tool_result') result.content = '# fail 0';
    await expect(model.answer(requestOf({ turns }))).rejects.toThrow(
      'was recorded from another conversation',
    );
  });

  it('says in the note what it was recorded from, after every answer', async () => {
    const { written } = await record();
    expect(written).toHaveLength(3);
    expect(parseScript(written[0] ?? '', 'a').turns).toHaveLength(1);
    expect(parseScript(written[2] ?? '', 'a').note).toBe(
      'recorded on 2026-11-20 from claude-sonnet-5-5 (anthropic)',
    );
  });
});
