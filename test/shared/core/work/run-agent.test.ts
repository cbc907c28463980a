import { describe, expect, it } from '@jest/globals';
import { MAX_CALLS_PER_TURN } from '../../../../shared/core/work/limits.ts';
import { lifecycleStages } from '../../../../shared/messages/transcript-line.ts';
import type { Turn } from '../../../../shared/ports/model.ts';
import { PenstockError, type ErrorCode } from '../../../../shared/ports/penstock-error.ts';
import { answered, calls, says } from '../../../support/work/queued-model.ts';
import { echoTool, roster, startWorker, type WorkerSettings } from '../../../support/work/run-worker.ts';
import { abortReason, settle } from '../../../support/work/manual-clock.ts';

async function work(settings: WorkerSettings) {
  const run = startWorker(settings);
  const result = await run.result;
  return { ...run, result };
}

const failed = (code: string) => ({ outcome: 'failed', failure: expect.objectContaining({ code }) });

/** What a person said to the run. */
const words = (text: string, interrupts = false) => ({ seq: 1, text, interrupts });

describe('the agent loop', () => {
  it('asks, runs tools, hands back their results and ends with the answer', async () => {
    const { result, model, attempt } = await work({
      replies: [calls(['read_file', { path: 'a.ts' }], ['read_file', { path: 'b.ts' }]), says('Done.')],
      tools: [echoTool()],
    });
    expect(result).toEqual({ outcome: 'succeeded', summary: 'Done.', checks: [], filesRead: 2 });
    expect(model.requests).toHaveLength(2);
    const last = model.requests[1]?.turns.at(-1);
    expect(last?.blocks.map((block) => block.type === 'tool_result' && block.content)).toEqual([
      'echo {"path":"a.ts"}',
      'echo {"path":"b.ts"}',
    ]);
    expect(attempt.lines().map(({ kind }) => kind)).toEqual([
      'note',
      'stage',
      'stage',
      'stage',
      'stage',
      'turn',
      'turn',
      'tool',
      'tool',
      'turn',
      'turn',
      'stage',
      'stage',
      'stage',
      'note',
      'stage',
      'stage',
    ]);
  });

  it('goes through the nine stages of an agent in order, with timings (003-29)', async () => {
    const run = startWorker({
      replies: [calls(['read_file', {}]), says('Done.')],
      tools: [
        echoTool('read_file', async () => (await run.clock.advance(700), { content: '', isError: false })),
      ],
    });
    await run.result;
    const stages = run.attempt
      .lines()
      .flatMap((line) => (line.kind === 'stage' ? [[line.stage, line.ms]] : []));
    expect(stages.map(([stage]) => stage)).toEqual(lifecycleStages);
    expect(Object.fromEntries(stages)).toMatchObject({ execute_task: 700, prepare_context: 0 });
  });

  it('cleans up and says so when the work breaks', async () => {
    let cleaned = 0;
    const { result, attempt } = await work({
      replies: [],
      bench: {
        prepare: () => Promise.reject(new PenstockError('unavailable', 'no clone', { retry: 'later' })),
      },
      cleanUp: async () => void (cleaned += 1),
    });
    expect(result).toMatchObject({ outcome: 'failed', failure: { code: 'network', message: 'no clone' } });
    expect(cleaned).toBe(1);
    expect(attempt.lines().at(-1)).toMatchObject({ kind: 'stage', stage: 'cleanup_resources' });
  });

  it('makes a turn durable before its tools run', async () => {
    let durable: unknown[] = [];
    const run = startWorker({
      replies: [calls(['read_file', {}]), says('Done.')],
      tools: [
        echoTool('read_file', async () => ((durable = run.attempt.lines()), { content: '', isError: false })),
      ],
    });
    await run.result;
    expect(durable.at(-1)).toMatchObject({
      kind: 'turn',
      turn: { role: 'assistant' },
      model: 'script-1',
      usage: { input: 10 },
    });
  });

  it('runs no tool when the turn could not be stored', async () => {
    let ran = 0;
    const run = startWorker({
      replies: [() => (run.attempt.lose(), calls(['shell', {}]))],
      tools: [echoTool('shell', async () => ((ran += 1), { content: '', isError: false }))],
    });
    expect(await run.result).toBe('stopped');
    expect(ran).toBe(0);
  });

  it('answers an unknown tool, a tool that breaks and too many calls with errors, each on the record', async () => {
    const many = Array.from({ length: MAX_CALLS_PER_TURN + 1 }, (): [string, unknown] => ['read_file', {}]);
    const { result, attempt, model } = await work({
      replies: [calls(['format_disk', {}], ['search', {}]), calls(...many), says('Done.')],
      tools: [echoTool(), echoTool('search', () => Promise.reject(new Error('boom')))],
    });
    expect(result).toMatchObject({ outcome: 'succeeded' });
    const results = model.requests[1]?.turns.at(-1)?.blocks;
    expect(results).toMatchObject([
      { isError: true, content: expect.stringContaining('You have: read_file, search, ') },
      { isError: true, content: 'The tool search failed: boom' },
    ]);
    const tools = attempt.lines().flatMap((line) => (line.kind === 'tool' ? [line] : []));
    expect(tools).toHaveLength(2 + many.length);
    expect(tools[0]).toMatchObject({ name: 'format_disk', allowed: false, isError: true });
    expect(tools[1]).toMatchObject({ name: 'search', allowed: true, isError: true });
    expect(tools.at(-1)).toMatchObject({ allowed: false, isError: true });
  });

  it('keeps the system prompt and the earlier turns byte for byte', async () => {
    const { model } = await work({
      replies: [calls(['read_file', {}]), calls(['read_file', {}]), says('Done.')],
      tools: [echoTool()],
    });
    const [first, second, third] = model.requests;
    expect(new Set(model.requests.map(({ system }) => system)).size).toBe(1);
    expect(JSON.stringify(third?.turns.slice(0, 3))).toBe(JSON.stringify(second?.turns));
    expect(JSON.stringify(second?.turns.slice(0, 1))).toBe(JSON.stringify(first?.turns));
  });

  it('lets a cut answer be continued once, and joins it', async () => {
    const { result, model } = await work({
      replies: [says('The first half ', 'truncated'), says('and the second.')],
    });
    expect(result).toMatchObject({ outcome: 'succeeded', summary: 'The first half and the second.' });
    expect(JSON.stringify(model.requests[1]?.turns.at(-1))).toContain('cut off');
    expect((await work({ replies: [says('a', 'truncated'), says('b', 'truncated')] })).result).toMatchObject(
      failed('model_garbage'),
    );
  });

  it('never runs a tool call that was cut', async () => {
    let ran = 0;
    const cut = answered([{ type: 'tool_use', id: 'x', name: 'shell', input: {} }], 'truncated');
    const { result, model } = await work({
      replies: [cut, says('Done.')],
      tools: [echoTool('shell', async () => ((ran += 1), { content: '', isError: false }))],
    });
    expect(result).toMatchObject({ outcome: 'succeeded' });
    expect(ran).toBe(0);
    expect(model.requests[1]?.turns.some(({ role }) => role === 'assistant')).toBe(false);
  });

  it.each([
    ['refused', says('No.', 'refused'), 'model_refused'],
    ['context_full', says('', 'context_full'), 'turn_limit'],
    ['tool_use without a call', says('hm', 'tool_use'), 'model_garbage'],
    ['an empty answer', says('  \n'), 'empty_output'],
    ['no answer at all', answered([], 'end'), 'empty_output'],
  ])('fails on %s', async (_, reply, code) => {
    expect((await work({ replies: [reply] })).result).toMatchObject(failed(code));
  });

  it.each<[ErrorCode, string]>([
    ['rate_limited', 'model_unavailable'],
    ['unavailable', 'model_unavailable'],
    ['timeout', 'model_unavailable'],
    ['not_found', 'model_unavailable'],
    ['budget', 'budget'],
    ['unauthenticated', 'forbidden'],
    ['invalid', 'invalid_input'],
    ['internal', 'internal'],
  ])('makes of a model’s %s a failure %s', async (code, expected) => {
    const { result } = await work({ replies: [() => Promise.reject(new PenstockError(code, 'no'))] });
    expect(result).toMatchObject(failed(expected));
  });

  it('stops without a result when the model says that the claim is gone', async () => {
    expect((await work({ replies: [() => Promise.reject(new PenstockError('stale', 'gone'))] })).result).toBe(
      'stopped',
    );
  });

  it('warns before the turn limit and fails at it', async () => {
    const { result, model } = await work({
      replies: Array.from({ length: 6 }, () => calls(['read_file', {}])),
      tools: [echoTool()],
      brief: { limits: { turns: 6, wrapUpAt: 2e12, hardLimitAt: 2e12, renewEveryMs: 60_000 } },
    });
    expect(result).toMatchObject(failed('turn_limit'));
    expect(model.requests).toHaveLength(6);
    const warned = model.requests.findIndex(({ turns }) =>
      JSON.stringify(turns).includes('You have 3 turns left'),
    );
    expect(warned).toBe(3);
  });

  it('gives back text for other tasks as output', async () => {
    const { result } = await work({ replies: [says('# Spec')], brief: { agent: 'project_architect' } });
    expect(result).toMatchObject({ summary: '# Spec', output: '# Spec' });
  });

  it('fails for an agent that does not exist', async () => {
    expect((await work({ replies: [], brief: { agent: 'nobody' } })).result).toMatchObject(
      failed('invalid_input'),
    );
  });

  it('redacts everything that goes into the transcript, and nothing that goes to the model', async () => {
    const { attempt, model } = await work({
      replies: [calls(['read_file', { path: 'hunter2' }]), says('It is hunter2.')],
      tools: [echoTool()],
      redact: (text) => text.replaceAll('hunter2', '[redacted]'),
    });
    const stored = JSON.stringify(attempt.lines());
    expect(stored).not.toContain('hunter2');
    expect(stored).toContain('It is [redacted].');
    expect(JSON.stringify(model.requests[1]?.turns)).toContain('hunter2');
  });
});

describe('answers with a shape', () => {
  const plan = {
    summary: 'One task.',
    tasks: [
      {
        id: 'api',
        agent: 'backend_developer',
        title: 'A',
        instructions: 'I',
        dependencies: [],
        acceptance: ['x'],
        scope: [],
      },
    ],
  };
  const review = { verdict: 'approve', summary: 'Good.', remarks: [{ path: null, text: 'r' }] };
  const planning = { kind: 'plan', agent: 'project_architect' } as const;

  it('reads a plan, and gives the model its schema', async () => {
    const { result, model } = await work({ replies: [says(JSON.stringify(plan))], brief: planning });
    expect(result).toMatchObject({ outcome: 'succeeded', summary: 'One task.' });
    const output = result !== 'stopped' && result.outcome === 'succeeded' ? result.output : undefined;
    expect(JSON.parse(output ?? '')).toEqual(plan);
    expect(model.requests[0]?.outputSchema).toMatchObject({ type: 'object', required: ['summary', 'tasks'] });
  });

  it('reads a review, also out of a code block', async () => {
    const text = `Here it is:\n\`\`\`json\n${JSON.stringify(review)}\n\`\`\``;
    const { result } = await work({
      replies: [says(text)],
      brief: { kind: 'review', agent: 'code_reviewer' },
    });
    expect(result).toMatchObject({ outcome: 'succeeded', summary: 'Good.', review });
  });

  it('sends a wrong shape back once, with the reasons', async () => {
    const { result, model } = await work({
      replies: [says('{"summary":"x","tasks":[]}'), says(JSON.stringify(plan))],
      brief: planning,
    });
    expect(result).toMatchObject({ outcome: 'succeeded' });
    expect(JSON.stringify(model.requests[1]?.turns.at(-1))).toContain('- tasks: ');
  });

  it('fails on the second wrong shape', async () => {
    const { result, model } = await work({ replies: [says('no json'), says('{}')], brief: planning });
    expect(result).toMatchObject(failed('invalid_output'));
    expect(model.requests).toHaveLength(2);
  });
});

describe('steering', () => {
  it('tells the agent once that its time is nearly over, and ends at the hard limit', async () => {
    const run = startWorker({
      replies: Array.from({ length: 9 }, () => async () => {
        await run.clock.advance(400_000);
        return calls(['read_file', {}]);
      }),
      tools: [echoTool()],
    });
    expect(await run.result).toMatchObject(failed('timeout'));
    const prompts =
      JSON.stringify(run.model.requests.at(-1)?.turns).split('Your time is nearly over').length - 1;
    expect(prompts).toBe(1);
    expect(run.attempt.lines().at(-1)).toMatchObject({ kind: 'stage', stage: 'cleanup_resources' });
  });

  it('ends a tool that is running at the hard limit', async () => {
    let aborted = false;
    const run = startWorker({
      replies: [calls(['shell', {}])],
      tools: [
        echoTool(
          'shell',
          (_, signal) =>
            new Promise((_resolve, reject) => {
              signal.addEventListener('abort', () => ((aborted = true), reject(abortReason(signal))));
            }),
        ),
      ],
    });
    await run.clock.advance(2_000_000);
    expect(await run.result).toMatchObject(failed('timeout'));
    expect(aborted).toBe(true);
  });

  it('does not hurry an attempt that goes on from one that was hurried', async () => {
    const hurried = [
      { role: 'user' as const, blocks: [{ type: 'text' as const, text: roster.prompts['wrap-up'] }] },
    ];
    const calm = [{ role: 'user' as const, blocks: [{ type: 'text' as const, text: 'Task: api' }] }];
    expect(JSON.stringify((await firstTurns(hurried))?.at(-1))).toContain('no longer holds');
    expect(await firstTurns(calm)).toEqual(calm);
  });

  it('hands messages of people over once, in the next user turn', async () => {
    const run = startWorker({
      replies: [
        async () => (await run.clock.advance(60_000), calls(['read_file', {}])),
        calls(['read_file', {}]),
        says('Done.'),
      ],
      tools: [echoTool()],
    });
    run.attempt.renewals.push({ answer: 'continue', messages: [words('use a map')] });
    await run.result;
    expect(run.model.requests[1]?.turns.at(-1)?.blocks.map(({ type }) => type)).toEqual([
      'tool_result',
      'text',
    ]);
    expect(JSON.stringify(run.model.requests[2]?.turns).split('use a map').length - 1).toBe(1);
  });

  it('does not end before a message that came with the last answer was heard', async () => {
    const run = startWorker({
      replies: [async () => (await run.clock.advance(60_000), says('Done.')), says('Done, with a map.')],
    });
    run.attempt.renewals.push({ answer: 'continue', messages: [words('use a map')] });
    expect(await run.result).toMatchObject({ summary: 'Done, with a map.' });
  });

  it('wraps up when a renewal says so', async () => {
    const run = startWorker({
      replies: [async () => (await run.clock.advance(60_000), calls(['read_file', {}])), says('Half done.')],
      tools: [echoTool()],
    });
    run.attempt.renewals.push({ answer: 'wrap-up', messages: [] });
    expect(await run.result).toMatchObject({ summary: 'Half done.' });
    expect(JSON.stringify(run.model.requests[1]?.turns.at(-1))).toContain('Your time is nearly over');
  });

  it.each([
    ['a renewal says stop', { answer: 'stop' as const, messages: [] }],
    ['the claim is gone', new PenstockError('stale', 'gone')],
  ])('stops at once, and has no result, when %s', async (_, renewal) => {
    const run = startWorker({ replies: [({ signal }) => untilAborted(signal)] });
    run.attempt.renewals.push(renewal);
    await run.clock.advance(60_000);
    expect(await run.result).toBe('stopped');
  });

  it('renews while the model is silent, and survives a platform that is away for a while', async () => {
    const release = new AbortController();
    const run = startWorker({
      replies: [() => untilAborted(release.signal).catch(() => says('Done.'))],
    });
    run.attempt.renewals.push(...Array.from({ length: 20 }, () => new Error('no network')));
    await run.clock.advance(60_000 * 5);
    expect(run.attempt.renewed()).toBeGreaterThan(20);
    release.abort();
    expect(await run.result).toMatchObject({ outcome: 'succeeded' });
  });

  it('stops when the platform is away until the lease must be over', async () => {
    const run = startWorker({ replies: [({ signal }) => untilAborted(signal)] });
    run.attempt.renewals.push(...Array.from({ length: 500 }, () => new Error('no network')));
    await run.clock.advance(179_000);
    expect(run.steering.ended).toBeUndefined();
    await run.clock.advance(3_000);
    expect(await run.result).toBe('stopped');
  });

  it('ends a few seconds after SIGTERM as lost, so that the next attempt goes on', async () => {
    const run = startWorker({ replies: [({ signal }) => untilAborted(signal)] });
    await settle();
    run.steering.terminate();
    await run.clock.advance(10_000);
    expect(await run.result).toMatchObject(failed('lost'));
  });
});

describe('a judge of the answer', () => {
  it('can send the agent back to work, and has the last word', async () => {
    const seen: string[] = [];
    const { result, model } = await work({
      replies: [says('one'), says('two')],
      bench: {
        judge: async ({ text }) =>
          seen.push(text) === 1 ? { tell: 'the checks are red' } : { accept: true },
        store: async () => ({ checks: [] }),
      },
    });
    expect(seen).toEqual(['one', 'two']);
    expect(JSON.stringify(model.requests[1]?.turns.at(-1))).toContain('the checks are red');
    expect(result).toMatchObject({ outcome: 'succeeded', summary: 'two' });
  });

  it('can fail the attempt', async () => {
    const { result } = await work({
      replies: [says('one')],
      bench: { judge: async () => ({ failure: { code: 'checks_red', message: 'red' } }) },
    });
    expect(result).toMatchObject(failed('checks_red'));
  });

  it('is not passed by a result that the platform refuses', async () => {
    const { result } = await work({
      replies: [says('one')],
      bench: { store: async () => ({ checks: [], failure: { code: 'rejected_change_set', message: 'no' } }) },
    });
    expect(result).toMatchObject(failed('rejected_change_set'));
  });
});

function untilAborted(signal: AbortSignal | undefined): Promise<never> {
  return new Promise((_, reject) => {
    signal?.addEventListener('abort', () => reject(abortReason(signal)));
  });
}

/** What the model hears first when an attempt goes on from these turns. */
async function firstTurns(turns: Turn[]) {
  const bench = { prepare: async () => ({ tools: [], resumed: { turns } }) };
  return (await work({ replies: [says('Done.')], bench })).model.requests[0]?.turns;
}
