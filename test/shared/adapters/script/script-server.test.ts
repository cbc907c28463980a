import { afterEach, describe, expect, it } from '@jest/globals';
import { createAnthropicModel } from '../../../../shared/adapters/anthropic/anthropic-model.ts';
import type { Script } from '../../../../shared/adapters/script/script-file.ts';
import { startScriptServer, type ScriptServer } from '../../../../shared/adapters/script/script-server.ts';
import type { Log } from '../../../../shared/ports/log.ts';
import type { Model, Turn } from '../../../../shared/ports/model.ts';
import { requestOf } from '../../../contract/model-contract.ts';

const silent: Log = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
  with: () => silent,
};
const runTests = { name: 'run_tests', input: {} };
const fixIt = { name: 'edit_file', input: { path: 'a.js', old: '1', new: '2' } };
const fixing: Script = {
  name: 'fixing',
  note: 'scripted by hand',
  turns: [
    {
      id: 'look',
      agent: 'backend_developer',
      when: { task: 'api', assistantTurns: 0 },
      answer: { tool_uses: [runTests] },
    },
    {
      id: 'fix',
      agent: 'backend_developer',
      when: { lastToolResultContains: ['1 failed'], notContains: ['hopeless'] },
      answer: { text: 'One test fails.', tool_uses: [fixIt] },
    },
    {
      id: 'done',
      agent: 'backend_developer',
      when: { lastToolResultContains: ['0 failed'], lastToolResultNotContains: ['skipped'] },
      answer: { text: 'Green.' },
      usage: { output: 77 },
    },
    { id: 'note', agent: 'technical_writer', when: { contains: ['changelog'] }, answer: { text: 'Noted.' } },
  ],
};

function told(text: string): Turn {
  return { role: 'user', blocks: [{ type: 'text', text }] };
}

function ran(content: string): Turn[] {
  return [
    ...requestOf().turns,
    { role: 'assistant', blocks: [{ type: 'tool_use', id: 'toolu_1', ...runTests }] },
    { role: 'user', blocks: [{ type: 'tool_result', toolUseId: 'toolu_1', content, isError: false }] },
  ];
}

describe('a script server', () => {
  let server: ScriptServer | undefined;
  afterEach(() => server?.stop());
  const start = async (script: Script): Promise<Model> => {
    server = await startScriptServer({ script });
    return createAnthropicModel({ apiKey: 'none', baseUrl: server.url, provider: 'script', log: silent });
  };
  it('answers by what the request contains, in any order', async () => {
    const model = await start(fixing);
    const green = await model.answer(requestOf({ turns: ran('12 passed, 0 failed') }));
    expect(green).toMatchObject({
      stop: 'end',
      usage: { output: 77 },
      turn: { blocks: [{ text: 'Green.' }] },
    });
    const red = await model.answer(requestOf({ turns: ran('11 passed, 1 failed') }));
    expect(red.turn.blocks).toMatchObject([
      { text: 'One test fails.' },
      { name: 'edit_file', input: fixIt.input },
    ]);
    expect((await model.answer(requestOf())).turn.blocks).toMatchObject([{ name: 'run_tests' }]);
    expect(server?.calls().map(({ turn }) => turn)).toEqual(['done', 'fix', 'look']);
  });

  it('gives the same request the same answer, ids and usage included, after a restart too', async () => {
    const before = await (await start(fixing)).answer(requestOf());
    await server?.stop();
    const model = await start(fixing);
    expect(await model.answer(requestOf())).toEqual(before);
    expect(await model.answer(requestOf())).toEqual(before);
  });

  it('takes the first of several turns that match', async () => {
    const turn = { agent: 'backend_developer', when: {} };
    const turns = ['one', 'two'].map((id) => ({ ...turn, id, answer: { text: id } }));
    const model = await start({ ...fixing, turns });
    expect((await model.answer(requestOf())).turn.blocks).toEqual([{ type: 'text', text: 'one' }]);
  });

  it('refuses what it has no answer for, and says what each candidate lacks', async () => {
    const model = await start(fixing);
    const turns = ran('build is hopeless: 1 failed, 3 skipped');
    const error = await model.answer(requestOf({ turns })).then(
      () => undefined,
      (reason: unknown) => reason,
    );
    expect(error).toMatchObject({ code: 'invalid', retry: 'never' });
    const message = error instanceof Error ? error.message : '';
    expect(message).toContain(
      'Script fixing has no answer for agent backend_developer, task api, answer number 2.',
    );
    expect(message).toContain('look: is for answer number 1');
    expect(message).toContain('fix: something contains "hopeless"');
    expect(message).toContain('done: the last tool result lacks "0 failed"');
    expect(message).not.toContain('note:');
    expect(server?.calls()).toEqual([{ agent: 'backend_developer', task: 'api', assistantTurns: 1 }]);
  });

  it('does not match what the agent said itself', async () => {
    const model = await start(fixing);
    const turns = [
      told('Task: docs'),
      { ...told('the changelog'), role: 'assistant' as const },
      told('Go on.'),
    ];
    const system = 'Agent: technical_writer';
    await expect(model.answer(requestOf({ system, turns }))).rejects.toThrow('nothing contains "changelog"');
    const heard = [told('Task: docs\nWrite the changelog.')];
    expect((await model.answer(requestOf({ system, turns: heard }))).stop).toBe('end');
  });

  it('needs to be told which agent asks', async () => {
    const model = await start(fixing);
    await expect(model.answer(requestOf({ system: 'You write code.' }))).rejects.toThrow(
      'no line "Agent: …"',
    );
  });

  it('answers without streaming too', async () => {
    await start(fixing);
    const body = {
      model: 'm',
      max_tokens: 9,
      system: 'Agent: technical_writer',
      messages: [{ role: 'user', content: 'changelog' }],
    };
    const response = await fetch(`${server?.url}/v1/messages`, {
      method: 'POST',
      body: JSON.stringify(body),
    });
    expect(await response.json()).toMatchObject({
      type: 'message',
      content: [{ type: 'text', text: 'Noted.' }],
    });
  });

  it.each(['', '{', '[]', '{"model":"m"}', '{"model":"m","messages":[{"role":"system","content":""}]}'])(
    'refuses the body %j as the API does',
    async (body) => {
      await start(fixing);
      const response = await fetch(`${server?.url}/v1/messages`, { method: 'POST', body });
      expect(response.status).toBe(400);
      expect(await response.json()).toMatchObject({
        type: 'error',
        error: { type: 'invalid_request_error' },
      });
    },
  );
});
