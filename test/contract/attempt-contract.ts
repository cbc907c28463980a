import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { cancelRun } from '../../shared/core/cancel-run.ts';
import { postMessage } from '../../shared/core/mail/post-message.ts';
import { refs } from '../../shared/core/refs.ts';
import { steerRun } from '../../shared/core/steer-run.ts';
import { modelById } from '../../shared/core/models/model-table.ts';
import { priceOf } from '../../shared/core/models/price.ts';
import type { AgentMessage } from '../../shared/messages/agent-message.ts';
import type { Meter } from '../../shared/messages/attempt-api.ts';
import { transcriptLine, type TranscriptLine } from '../../shared/messages/transcript-line.ts';
import type { ModelRequest } from '../../shared/ports/model.ts';
import { TENANT } from '../support/engine.ts';
import { type AttemptWorld, type OpenAttempt, openAttemptWorld } from './attempt-world.ts';

const MODEL = 'claude-sonnet-5-5';
const MAX_OUTPUT_TOKENS = 1_000;
/** As the script says. */
const USAGE = { input: 100, output: 20, cacheRead: 3_000, cacheWrite: 400 };
/** Shaped like secrets; made of nothing. */
const GITHUB_TOKEN = `ghp_${'a1B2c3D4e5'.repeat(4).slice(0, 36)}`;
const AWS_KEY = `wJalrXUtnFEMI/${'K7MDENG'.repeat(4)}`.slice(0, 40);

const done = { outcome: 'succeeded' as const, summary: 'done' };
const note = (seq: number, text: string): TranscriptLine => ({ v: 1, seq, at: 1, kind: 'note', text });

const LONG_AGO = '2020-01-01T00:00:00Z';

/** With the example values of 003-31. */
function mailOf(n: number, to: string): AgentMessage {
  return {
    message_id: `00000000-0000-4000-8000-00000000000${n}`,
    timestamp: LONG_AGO,
    from_agent: 'qa_testing',
    to_agent: to,
    message_type: 'handoff',
    context: {
      project: 'TaskManager',
      phase: 'development',
      deliverables: [
        { type: 'api_specification', path: 'docs/api_spec.yaml', description: 'Routes and their bodies' },
      ],
    },
    next_tasks: ['Build what it says'],
  };
}

function ask(more: Partial<ModelRequest> = {}): ModelRequest {
  return {
    model: MODEL,
    system: 'Agent: project_architect',
    turns: [{ role: 'user', blocks: [{ type: 'text', text: 'Task: design\nSay hello' }] }],
    tools: [],
    maxOutputTokens: MAX_OUTPUT_TOKENS,
    timeoutMs: 20_000,
    ...more,
  };
}

/** What every attempt does, whichever way it reaches the platform. */
export function attemptContract(name: string, open: OpenAttempt): void {
  describe(`${name} as an attempt`, () => {
    let world: AttemptWorld;
    beforeEach(async () => {
      world = await openAttemptWorld(open);
    });
    afterEach(() => world.close());

    const meter = async (): Promise<Meter> => {
      const { attempts } = await world.task();
      if (attempts[0] === undefined) throw new Error('there is no attempt');
      return attempts[0].meter;
    };
    const finishes = () => world.engine.mail.filter(({ topic }) => topic === 'task-finished').length;

    describe('its brief', () => {
      it('says whose it is, what to do, and until when', async () => {
        const { brief } = world.attempt;
        const [attempt] = (await world.task()).attempts;
        expect(brief).toMatchObject({
          v: 1,
          tenant: TENANT,
          run: world.hint.run,
          task: 'design',
          generation: 1,
          kind: 'work',
          agent: 'project_architect',
          instructions: 'Say how it is to be built.',
        });
        expect(brief.requirement).toContain('Do it well.');
        expect(brief.model).toMatchObject({ provider: 'script', id: expect.stringMatching(/^claude-/) });
        expect(brief.limits.hardLimitAt).toBe(attempt?.hardLimitAt);
        expect(brief.limits.hardLimitAt - brief.limits.wrapUpAt).toBe(world.engine.ports.policy.wrapUpMs);
      });

      it('holds nothing that would let somebody else be this attempt', async () => {
        const [attempt] = (await world.task()).attempts;
        expect(attempt?.claimHash).toMatch(/^[0-9a-f]{64}$/);
        expect(JSON.stringify(world.attempt.brief)).not.toContain(attempt?.claimHash);
      });
    });

    describe('renewing', () => {
      it('goes on and has a whole lease again', async () => {
        world.engine.clock.advance(60_000);
        expect(await world.attempt.renew()).toEqual({ answer: 'continue', messages: [] });
        expect((await world.task()).leaseUntil).toBe(
          world.engine.clock.now() + world.engine.ports.policy.leaseMs,
        );
      });

      it('is asked to wrap up from shortly before the hard limit on, and not earlier', async () => {
        const { wrapUpAt } = world.attempt.brief.limits;
        world.engine.clock.advance(wrapUpAt - world.engine.clock.now() - 1);
        expect((await world.attempt.renew()).answer).toBe('continue');
        world.engine.clock.advance(1);
        expect((await world.attempt.renew()).answer).toBe('wrap-up');
        world.engine.clock.advance(60_000);
        expect((await world.attempt.renew()).answer).toBe('wrap-up');
      });

      it('is told to stop while its run is being cancelled', async () => {
        await cancelRun(world.engine.ports, TENANT, world.hint.run, 'dana');
        expect((await world.engine.run(world.hint.run)).stage).toBe('cancelling');
        expect(await world.attempt.renew()).toEqual({ answer: 'stop', messages: [] });
      });

      it('is stale once the task was taken back', async () => {
        await world.takeBack();
        const { leaseUntil } = await world.task();
        await expect(world.attempt.renew()).rejects.toMatchObject({ code: 'stale', retry: 'never' });
        expect((await world.task()).leaseUntil).toBe(leaseUntil);
      });
    });

    describe('what is said to its run', () => {
      const say = (text: string) =>
        steerRun(world.engine.ports, { tenant: TENANT, id: world.hint.run }, { text, by: 'dana' });

      it('comes with the next renewal, once, in order', async () => {
        await say('use a map');
        await say('and sort it');
        const { messages } = await world.attempt.renew();
        expect(messages).toEqual([
          { seq: 1, text: 'use a map', interrupts: false },
          { seq: 2, text: 'and sort it', interrupts: false },
        ]);
        expect(await world.attempt.renew()).toEqual({ answer: 'continue', messages: [] });
        await say('no, a set');
        expect((await world.attempt.renew()).messages.map(({ text }) => text)).toEqual(['no, a set']);
        expect((await world.task()).attempts[0]).toMatchObject({ steeredTo: 3 });
      });

      it('by another agent comes once too, and not to others', async () => {
        const post = (n: number, to: string, toTask?: string) =>
          postMessage(
            world.engine.ports,
            { tenant: TENANT, run: world.hint.run },
            {
              task: 'other',
              ...(toTask === undefined ? {} : { toTask }),
              message: mailOf(n, to),
            },
          );
        await post(1, 'project_architect');
        await post(2, 'qa_testing');
        await post(3, 'project_architect', 'another-task');
        const answer = await world.attempt.renew();
        expect(answer.mail).toEqual([
          { ...mailOf(1, 'project_architect'), timestamp: new Date(world.engine.clock.now()).toISOString() },
        ]);
        expect(await world.attempt.renew()).toEqual({ answer: 'continue', messages: [] });
      });
    });

    describe('asking something of the team', () => {
      it('delegates a subtask, the same one however often it is asked', async () => {
        const wanted = {
          kind: 'subtask' as const,
          id: 'call-1',
          agent: 'technical_writer',
          title: 'Describe it',
          instructions: 'Describe the design.',
        };
        const { key, note: told } = await world.attempt.propose(wanted);
        expect(key).toBe('design-s1');
        expect(told).toContain('Subtask design-s1 of technical_writer is pending');
        expect((await world.attempt.propose(wanted)).key).toBe(key);
        const child = await world.engine.task(world.hint.run, key);
        expect(child).toMatchObject({ parent: 'design', agent: 'technical_writer', state: 'pending' });
        expect((await world.engine.tasks(world.hint.run)).map(({ id }) => id)).toEqual(['design', key]);
      });

      it('sends a message in its own name, whatever name it gives', async () => {
        const message = { ...mailOf(7, 'qa_testing'), from_agent: 'integrator', timestamp: LONG_AGO };
        const { key } = await world.attempt.propose({ kind: 'message', message });
        const ref = refs.message(TENANT, world.hint.run, key);
        const kept = (await world.engine.ports.store.get(ref))?.data;
        expect(kept).toMatchObject({ seq: 1, task: 'design', message: { from_agent: 'project_architect' } });
        expect(kept?.message.timestamp).toBe(new Date(world.engine.clock.now()).toISOString());
        await world.attempt.propose({ kind: 'message', message });
        expect((await world.engine.run(world.hint.run)).mail).toBe(1);
      });

      it.each([
        ['an agent that there is not', { agent: 'nobody' }, 'forbidden'],
        ['more than it has', { budgetUsd: 1_000 }, 'budget'],
      ])('is refused for %s, and nothing is changed', async (_, change, code) => {
        const before = await world.task();
        const wanted = { kind: 'subtask' as const, id: 'call-1', agent: 'qa_testing' };
        const asked = { ...wanted, title: 'Test', instructions: 'Test it.', ...change };
        await expect(world.attempt.propose(asked)).rejects.toMatchObject({ code, retry: 'never' });
        expect(await world.task()).toEqual(before);
      });

      it('is stale once the task was taken back', async () => {
        await world.takeBack();
        const message = mailOf(8, 'qa_testing');
        await expect(world.attempt.propose({ kind: 'message', message })).rejects.toMatchObject({
          code: 'stale',
        });
        expect((await world.engine.run(world.hint.run)).mail).toBe(0);
      });
    });

    describe('its transcript', () => {
      it('is durable chunk by chunk, in the order of the lines', async () => {
        await world.attempt.log(0, [note(0, 'first'), note(1, 'second')]);
        expect((await world.chunk(0))?.map((line) => JSON.parse(line) as unknown)).toEqual([
          note(0, 'first'),
          note(1, 'second'),
        ]);
        await world.attempt.log(1, [note(2, 'third')]);
        expect(await world.chunk(1)).toHaveLength(1);
        expect(await world.chunk(2)).toBeUndefined();
      });

      it('keeps the first of two chunks of one number', async () => {
        await world.attempt.log(0, [note(0, 'first')]);
        await world.attempt.log(0, [note(0, 'again')]);
        expect(await world.chunk(0)).toEqual([JSON.stringify(note(0, 'first'))]);
      });

      it.each([
        ['in the middle of a line', `the token is ${GITHUB_TOKEN}.`],
        ['at the beginning of a line', `printed:\n${GITHUB_TOKEN}\n`],
        ['behind a tab', `token\t${GITHUB_TOKEN}`],
        ['in JSON that is text', JSON.stringify({ aws_secret_access_key: AWS_KEY })],
      ])('holds no secret %s', async (_, text) => {
        await world.attempt.log(0, [note(0, text)]);
        const [line = ''] = (await world.chunk(0)) ?? [];
        expect(line).toContain('[redacted');
        expect(line).not.toContain(GITHUB_TOKEN);
        expect(line).not.toContain(AWS_KEY);
      });

      it('holds no secret in what a tool was given, and still can be read', async () => {
        const use = {
          type: 'tool_use' as const,
          id: 't1',
          name: 'shell',
          input: { command: `export GH=1\n${GITHUB_TOKEN}`, env: { aws_secret_access_key: AWS_KEY } },
        };
        await world.attempt.log(0, [
          { v: 1, seq: 0, at: 1, kind: 'turn', turn: { role: 'assistant', blocks: [use] } },
        ]);
        const [line = ''] = (await world.chunk(0)) ?? [];
        expect(line).not.toContain(GITHUB_TOKEN);
        expect(line).not.toContain(AWS_KEY);
        expect(transcriptLine.parse(JSON.parse(line))).toMatchObject({
          kind: 'turn',
          turn: { blocks: [{ name: 'shell' }] },
        });
      });

      it('takes nothing more once the task was taken back', async () => {
        await world.takeBack();
        await expect(world.attempt.log(0, [note(0, 'late')])).rejects.toMatchObject({ code: 'stale' });
        expect(await world.chunk(0)).toBeUndefined();
      });
    });

    describe('proposing', () => {
      it('names the blob of an upload by its own run, task and generation', async () => {
        const { key, url } = await world.attempt.propose({ kind: 'upload', purpose: 'change-set', n: 0 });
        expect(key).toContain(`${TENANT}/uploads/${world.hint.run}/design/1/`);
        expect(url).toContain(key);
      });

      it('is refused for a change set that was never uploaded', async () => {
        await expect(world.attempt.propose({ kind: 'change-set', n: 7 })).rejects.toMatchObject({
          code: 'invalid',
        });
      });

      it('is stale once the task was taken back', async () => {
        await world.takeBack();
        await expect(
          world.attempt.propose({ kind: 'upload', purpose: 'checkpoint', n: 0 }),
        ).rejects.toMatchObject({ code: 'stale' });
      });
    });

    describe('finishing', () => {
      it('stores the result, then says so to whoever releases what depends on it', async () => {
        expect(await world.attempt.finish({ ...done, output: 'Build it so.' })).toBe('stored');
        const task = await world.task();
        expect(task).toMatchObject({
          state: 'succeeded',
          settled: true,
          live: false,
          result: { summary: 'done' },
          attempts: [{ generation: 1, exit: { outcome: 'succeeded' } }],
        });
        expect(await world.blob(task.result?.outputKey ?? '')).toBe('Build it so.');
        expect(world.engine.mail).toEqual([
          {
            topic: 'task-finished',
            message: { v: 1, tenant: TENANT, run: world.hint.run, task: 'design', generation: 1 },
          },
        ]);
      });

      it('again changes nothing, and says so again', async () => {
        await world.attempt.finish({ ...done, output: 'The first.' });
        const before = await world.task();
        expect(await world.attempt.finish({ ...done, output: 'The first.' })).toBe('stored');
        expect(
          await world.attempt.finish({ outcome: 'failed', failure: { code: 'network', message: 'gone' } }),
        ).toBe('stored');
        expect(await world.task()).toEqual(before);
        expect(finishes()).toBe(3);
      });

      it('again with something else leaves the result that was stored', async () => {
        await world.attempt.finish({ ...done, output: 'The first.' });
        await world.attempt.finish({ outcome: 'succeeded', summary: 'other', output: 'The second.' });
        const { result } = await world.task();
        expect(result?.summary).toBe('done');
        expect(await world.blob(result?.outputKey ?? '')).toBe('The first.');
      });

      it('ten times at once stores one result', async () => {
        const answers = await Promise.all(
          Array.from({ length: 10 }, (_, n) => world.attempt.finish({ ...done, summary: `done ${n}` })),
        );
        expect(new Set(answers)).toEqual(new Set(['stored']));
        const task = await world.task();
        expect(task.attempts).toHaveLength(1);
        expect(task.history.filter(({ state }) => state === 'succeeded')).toHaveLength(1);
      });

      it('with a failure keeps why, and the task has another attempt', async () => {
        expect(
          await world.attempt.finish({
            outcome: 'failed',
            failure: { code: 'network', message: 'the line is down' },
          }),
        ).toBe('stored');
        const exit = { outcome: 'failed', code: 'network', class: 'transient', message: 'the line is down' };
        expect(await world.task()).toMatchObject({
          state: 'pending',
          live: true,
          attempts: [{ generation: 1, exit }],
        });
      });

      it('after the task was taken back is stale, and changes nothing', async () => {
        await world.takeBack();
        const before = await world.task();
        expect(await world.attempt.finish({ ...done, output: 'late' })).toBe('stale');
        expect(await world.task()).toEqual(before);
        expect(before).toMatchObject({
          state: 'running',
          attempts: [{ exit: { outcome: 'lost' } }, { generation: 2 }],
        });
        expect(finishes()).toBe(0);
        expect(await world.blob(`${TENANT}/artifacts/${world.hint.run}/design/1/output.txt`)).toBeUndefined();
      });
    });

    describe('a call of the model', () => {
      it('is answered, with usage of every kind', async () => {
        const answer = await world.attempt.model.answer(ask());
        expect(answer).toMatchObject({
          stop: 'end',
          model: MODEL,
          usage: USAGE,
          turn: { role: 'assistant', blocks: [{ type: 'text', text: 'Hello.' }] },
        });
      });

      it('is paid for before it is sent, and settled by what it used', async () => {
        const { model } = world.attempt;
        const entry = modelById(MODEL);
        let during: Meter | undefined;
        world.upstream.onMessage = async () => {
          during = await meter();
        };
        const { allowanceMicroUsd } = await meter();
        const inputTokens = await model.countTokens(ask());
        await model.answer(ask());
        const most = Math.ceil(
          inputTokens * entry.prices.cacheWrite + MAX_OUTPUT_TOKENS * entry.prices.output,
        );
        expect(during).toMatchObject({
          allowanceMicroUsd,
          reservedMicroUsd: most,
          spentMicroUsd: 0,
          calls: 0,
        });
        expect(await meter()).toEqual({
          allowanceMicroUsd,
          reservedMicroUsd: 0,
          spentMicroUsd: priceOf(USAGE, entry),
          usage: USAGE,
          calls: 1,
        });
        expect((await world.task()).attempts[0]?.model).toBe(MODEL);
      });

      it('adds to those before', async () => {
        await world.attempt.model.answer(ask());
        await world.attempt.model.answer(ask());
        expect(await meter()).toMatchObject({
          calls: 2,
          usage: { input: 200, output: 40, cacheRead: 6_000, cacheWrite: 800 },
        });
      });

      it('beside another is settled by itself', async () => {
        await Promise.all([
          world.attempt.model.answer(ask()),
          world.attempt.model.answer(ask()),
          world.attempt.model.answer(ask()),
        ]);
        expect(await meter()).toMatchObject({
          calls: 3,
          reservedMicroUsd: 0,
          spentMicroUsd: 3 * priceOf(USAGE, modelById(MODEL)),
        });
      });

      it('that the allotment cannot pay is refused before anything is sent', async () => {
        const before = await meter();
        const maxOutputTokens = Math.ceil(before.allowanceMicroUsd / modelById(MODEL).prices.output) + 1;
        await expect(world.attempt.model.answer(ask({ maxOutputTokens }))).rejects.toMatchObject({
          code: 'budget',
          retry: 'never',
        });
        expect(world.upstream.calls.filter((path) => !path.includes('count_tokens'))).toEqual([]);
        expect(await meter()).toEqual(before);
      });

      it('that the provider refuses costs nothing', async () => {
        const unscripted = ask({
          turns: [{ role: 'user', blocks: [{ type: 'text', text: 'Task: design\nSay goodbye' }] }],
        });
        await expect(world.attempt.model.answer(unscripted)).rejects.toMatchObject({ code: 'invalid' });
        expect(await meter()).toMatchObject({ reservedMicroUsd: 0, spentMicroUsd: 0, calls: 0 });
      });

      it('whose answer breaks off is charged what was set aside for it', async () => {
        let reserved = 0;
        world.upstream.onMessage = async () => {
          reserved = (await meter()).reservedMicroUsd;
        };
        world.upstream.isCut = true;
        await expect(world.attempt.model.answer(ask())).rejects.toMatchObject({
          code: 'unavailable',
          retry: 'later',
        });
        await settled();
        expect(reserved).toBeGreaterThan(0);
        expect(await meter()).toMatchObject({ reservedMicroUsd: 0, spentMicroUsd: reserved, calls: 1 });
      });

      it('with a model that has no price is refused before anything is sent', async () => {
        await expect(world.attempt.model.answer(ask({ model: 'claude-unknown' }))).rejects.toThrow();
        expect(world.upstream.calls.filter((path) => !path.includes('count_tokens'))).toEqual([]);
        expect(await meter()).toMatchObject({ reservedMicroUsd: 0, spentMicroUsd: 0, calls: 0 });
      });

      it('after the task was taken back is stale, and nothing is sent', async () => {
        await world.takeBack();
        await expect(world.attempt.model.answer(ask())).rejects.toMatchObject({ code: 'stale' });
        expect(world.upstream.calls.filter((path) => !path.includes('count_tokens'))).toEqual([]);
      });

      it('that is open when the attempt ends is charged with it', async () => {
        let reserved = 0;
        world.upstream.onMessage = async () => {
          reserved = (await meter()).reservedMicroUsd;
          await world.attempt.finish({
            outcome: 'failed',
            failure: { code: 'timeout', message: 'too long' },
          });
        };
        await world.attempt.model.answer(ask()).catch(() => undefined);
        expect(reserved).toBeGreaterThan(0);
        expect(await meter()).toMatchObject({ reservedMicroUsd: 0, spentMicroUsd: reserved });
      });
    });

    /** The platform settles when it notices, which may be a moment after the caller did. */
    async function settled(): Promise<void> {
      for (let tries = 0; tries < 100 && (await meter()).reservedMicroUsd > 0; tries += 1) {
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    }
  });
}
