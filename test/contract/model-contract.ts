import { afterEach, describe, expect, it } from '@jest/globals';
import type { Model, ModelRequest } from '../../shared/ports/model.ts';
import type { Script } from '../../shared/adapters/script/script-file.ts';

export interface ModelUnderTest {
  model: Model;
  stop: () => Promise<void>;
}

/** What the other side does wrong; the same for every provider. */
export type Fault =
  | 'rate_limited'
  | 'overloaded'
  | 'server_error'
  | 'hangs'
  | 'garbage'
  | 'reset'
  | 'cut_short'
  | 'unknown_model'
  | 'bad_key'
  | 'bad_request';

export interface ModelContractSubject {
  /** A model that answers from this script. */
  withScript: (script: Script) => Promise<ModelUnderTest>;
  /** A model whose provider has this fault. `rate_limited` and `overloaded` say: come back in 30 s. */
  withFault: (fault: Fault) => Promise<ModelUnderTest>;
}

const readFile = {
  name: 'read_file',
  description: 'Reads a file',
  inputSchema: { type: 'object', properties: { path: { type: 'string' } }, required: ['path'] },
};

export function requestOf(changes: Partial<ModelRequest> = {}): ModelRequest {
  return {
    model: 'claude-sonnet-5-5',
    system: 'Agent: backend_developer\nYou write code.',
    turns: [{ role: 'user', blocks: [{ type: 'text', text: 'Task: api\nAdd a priority.' }] }],
    tools: [readFile],
    maxOutputTokens: 1_000,
    timeoutMs: 10_000,
    ...changes,
  };
}

type Answer = Script['turns'][number]['answer'];

export function scriptOf(...answers: Answer[]): Script {
  const turns = answers.map((answer, n) => ({
    id: `turn-${n}`,
    agent: 'backend_developer',
    when: { assistantTurns: n },
    answer,
  }));
  return { name: 'contract', note: 'scripted for the contract', turns };
}

/** What every adapter of the Model port does. */
export function modelContract(name: string, subject: ModelContractSubject): void {
  describe(`${name} as a Model`, () => {
    let running: ModelUnderTest[] = [];
    afterEach(async () => {
      await Promise.all(running.map(({ stop }) => stop()));
      running = [];
    });
    const start = async (starting: Promise<ModelUnderTest>) => {
      const started = await starting;
      running.push(started);
      return started.model;
    };

    it('answers with text and ends', async () => {
      const model = await start(subject.withScript(scriptOf({ text: 'Done.' })));
      const answer = await model.answer(requestOf());
      expect(answer).toMatchObject({ stop: 'end', model: 'claude-sonnet-5-5', turn: { role: 'assistant' } });
      expect(answer.turn.blocks).toEqual([{ type: 'text', text: 'Done.' }]);
      expect(answer.turn.raw?.provider).toBe(model.provider);
    });

    it('asks for a tool, takes its result and goes on', async () => {
      const input = { path: 'src/ä.js', deep: { list: [1, null, 'two'] } };
      const uses = { text: 'Let me look.', tool_uses: [{ name: 'read_file', input }] };
      const model = await start(subject.withScript(scriptOf(uses, { text: 'I see.' })));
      const first = await model.answer(requestOf());
      expect(first.stop).toBe('tool_use');
      const use = first.turn.blocks.find((block) => block.type === 'tool_use');
      expect(use).toMatchObject({ name: 'read_file', input });
      const result = { type: 'tool_result' as const, toolUseId: use?.id ?? '', content: 'x', isError: false };
      const turns = [...requestOf().turns, first.turn, { role: 'user' as const, blocks: [result] }];
      const second = await model.answer(requestOf({ turns }));
      expect(second).toMatchObject({ stop: 'end', turn: { blocks: [{ type: 'text', text: 'I see.' }] } });
    });

    it('keeps several tool uses of one answer apart', async () => {
      const tool_uses = ['a', 'a', 'b'].map((path) => ({ name: 'read_file', input: { path } }));
      const model = await start(subject.withScript(scriptOf({ tool_uses })));
      const { turn } = await model.answer(requestOf());
      const ids = turn.blocks.flatMap((block) => (block.type === 'tool_use' ? [block.id] : []));
      expect(new Set(ids).size).toBe(3);
    });

    it('answers with one JSON value where a schema is given', async () => {
      const json = { verdict: 'approve', remarks: [], summary: 'fine' };
      const model = await start(subject.withScript(scriptOf({ json })));
      const outputSchema = { type: 'object', properties: { verdict: { type: 'string' } } };
      const { turn } = await model.answer(requestOf({ outputSchema }));
      const text = turn.blocks.flatMap((block) => (block.type === 'text' ? [block.text] : [])).join('');
      expect(JSON.parse(text)).toEqual(json);
    });

    it.each(['truncated', 'refused', 'context_full'] as const)(
      'reports an answer that is %s',
      async (stop) => {
        const model = await start(subject.withScript(scriptOf({ text: 'partly', stop })));
        expect((await model.answer(requestOf())).stop).toBe(stop);
      },
    );

    it('counts the input that it then reports, cached or not', async () => {
      const model = await start(subject.withScript(scriptOf({ text: 'One.' }, { text: 'Two.' })));
      const first = await model.answer(requestOf());
      const turns = [
        ...requestOf().turns,
        first.turn,
        { role: 'user' as const, blocks: [{ type: 'text' as const, text: 'And?' }] },
      ];
      const request = requestOf({ turns });
      const { usage } = await model.answer(request);
      expect(usage.input + usage.cacheRead + usage.cacheWrite).toBe(await model.countTokens(request));
      expect(usage.cacheRead).toBeGreaterThan(0);
      expect(usage.output).toBeGreaterThan(0);
    });

    it('goes on with a conversation that another provider began', async () => {
      const model = await start(subject.withScript(scriptOf({ text: 'One.' }, { text: 'Two.' })));
      const foreign = {
        role: 'assistant' as const,
        blocks: [
          { type: 'thinking' as const, text: 'hm' },
          { type: 'opaque' as const },
          { type: 'text' as const, text: 'Hi.' },
        ],
        raw: { provider: 'openai' as const, content: { secret: true } },
      };
      const turns = [
        ...requestOf().turns,
        foreign,
        { role: 'user' as const, blocks: [{ type: 'text' as const, text: 'Go on.' }] },
      ];
      expect((await model.answer(requestOf({ turns }))).turn.blocks).toEqual([
        { type: 'text', text: 'Two.' },
      ]);
    });

    it.each([
      ['rate_limited', { code: 'rate_limited', retry: 'later', afterMs: 30_000 }],
      ['overloaded', { code: 'unavailable', retry: 'later', afterMs: 30_000 }],
      ['server_error', { code: 'unavailable', retry: 'later' }],
      ['garbage', { code: 'unavailable', retry: 'later' }],
      ['reset', { code: 'unavailable', retry: 'later' }],
      ['cut_short', { code: 'unavailable', retry: 'later' }],
      ['unknown_model', { code: 'not_found', retry: 'never' }],
      ['bad_key', { code: 'unauthenticated', retry: 'never' }],
      ['bad_request', { code: 'invalid', retry: 'never' }],
    ] as const)('says what happened when the provider is %s', async (fault, expected) => {
      const model = await start(subject.withFault(fault));
      const began = Date.now();
      await expect(model.answer(requestOf({ timeoutMs: 20_000 }))).rejects.toMatchObject(expected);
      expect(Date.now() - began).toBeLessThan(10_000);
    });

    it('gives up at its deadline, in the middle of an answer too', async () => {
      const model = await start(subject.withFault('hangs'));
      const began = Date.now();
      const error = { code: 'timeout', retry: 'later', message: expect.stringContaining('300 ms') };
      await expect(model.answer(requestOf({ timeoutMs: 300 }))).rejects.toMatchObject(error);
      expect(Date.now() - began).toBeLessThan(3_000);
    });

    it("stops when its caller does, with the caller's reason", async () => {
      const model = await start(subject.withFault('hangs'));
      const controller = new AbortController();
      const answer = model.answer(requestOf({ signal: controller.signal }));
      const reason = new Error('the run was cancelled');
      setTimeout(() => controller.abort(reason), 100);
      await expect(answer).rejects.toBe(reason);
    });
  });
}
