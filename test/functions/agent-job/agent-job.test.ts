import { afterEach, describe, expect, it } from '@jest/globals';
import { lifecycleStages } from '../../../shared/messages/transcript-line.ts';
import { openJobWorld, textIn, type JobWorld } from './job-world.ts';

const MUL = 'export function mul(a, b) {\n  return a * b;\n}\n';
const MUL_TEST = `import test from 'node:test';\nimport assert from 'node:assert';\nimport { mul } from '../src/mul.js';\ntest('mul', () => assert.equal(mul(2, 3), 6));\n`;

const turn = (id: string, assistantTurns: number, answer: object, when: object = {}) => ({
  id,
  agent: 'backend_developer',
  when: { assistantTurns, ...when },
  answer,
});
const use = (name: string, input: object = {}) => ({ name, input });
const write = (path: string, content: string) => use('write_file', { path, content });

let world: JobWorld;
afterEach(() => world.stop());

describe('the job program', () => {
  it('carries an attempt from its ticket to a change set, checked by the platform, and leaves nothing behind', async () => {
    world = await openJobWorld([
      turn('look', 0, { tool_uses: [use('read_file', { path: 'src/math.js' })] }),
      turn(
        'write',
        1,
        { tool_uses: [write('src/mul.js', MUL), write('test/mul.test.js', MUL_TEST)] },
        { lastToolResultContains: ['return a + b'] },
      ),
      turn('test', 2, { tool_uses: [use('run_tests')] }),
      turn('end', 3, { text: 'Added mul.' }, { lastToolResultContains: ['exit code 0'] }),
    ]);
    const job = world.start({});
    expect({ code: await job.ended, log: job.text() }).toMatchObject({ code: 0 });
    const { attempts } = world;
    expect(attempts.result()).toMatchObject({
      outcome: 'succeeded',
      summary: 'Added mul.',
      filesRead: 1,
      checks: [{ passed: true, exitCode: 0 }],
    });
    expect(attempts.accepted()?.changeSet).toMatchObject({
      baseSha: world.repository.baseSha,
      checks: [{ passed: true }],
    });
    expect(attempts.accepted()?.changeSet.entries.map(({ path }) => path)).toEqual([
      'src/mul.js',
      'test/mul.test.js',
    ]);
    expect(textIn(attempts, 'src/mul.js')).toBe(MUL);
    const lines = attempts.lines();
    expect(lines.map(({ seq }) => seq)).toEqual(lines.map((_, index) => index));
    expect(lines.flatMap((line) => (line.kind === 'stage' ? [line.stage] : []))).toEqual(lifecycleStages);
    expect(JSON.stringify(lines)).toContain('Use two spaces.');
    expect(lines.some(({ kind }) => kind === 'checkpoint')).toBe(true);
    expect(job.log().flatMap(({ stage }) => stage ?? [])).toEqual(lifecycleStages);
    expect(job.text()).not.toMatch(/ticket-0123|token-0123/);
    expect(world.leftovers()).toEqual([]);
  });

  it('sends the agent back when the platform finds the checks red, whatever the agent says', async () => {
    world = await openJobWorld([
      turn('wrong', 0, {
        tool_uses: [write('src/mul.js', MUL.replace('*', '+')), write('test/mul.test.js', MUL_TEST)],
      }),
      turn('boast', 1, { text: 'All tests pass.' }),
      turn(
        'fix',
        2,
        { tool_uses: [write('src/mul.js', MUL)] },
        { contains: ['cannot take it as it is', 'actual: 5'] },
      ),
      turn('end', 3, { text: 'Fixed.' }),
    ]);
    expect(await world.start({}).ended).toBe(0);
    expect(world.attempts.result()).toMatchObject({
      outcome: 'succeeded',
      summary: 'Fixed.',
      checks: [{ passed: true }],
    });
    expect(textIn(world.attempts, 'src/mul.js')).toBe(MUL);
    const checks = world.attempts
      .lines()
      .flatMap((line) => (line.kind === 'checks' ? [line.results[0]?.passed] : []));
    expect(checks).toEqual([false, true]);
  });

  it('fails as red when the agent cannot make it green', async () => {
    world = await openJobWorld([
      turn('wrong', 0, { tool_uses: [write('src/math.js', 'export const add = () => 0;\n')] }),
      ...[1, 2, 3].map((n) => turn(`boast-${n}`, n, { text: 'All tests pass.' })),
    ]);
    expect(await world.start({}).ended).toBe(0);
    expect(world.attempts.result()).toMatchObject({ outcome: 'failed', failure: { code: 'checks_red' } });
    expect(world.attempts.accepted()).toBeUndefined();
    expect(world.model.calls()).toHaveLength(4);
  });

  it('does not blame the agent for checks that were red before', async () => {
    world = await openJobWorld([
      turn('write', 0, { tool_uses: [write('src/mul.js', MUL)] }),
      ...[1, 2, 3].map((n) => turn(`end-${n}`, n, { text: 'Added mul.' })),
    ]);
    expect(await world.start({ contract: { test: ['exit 3'] } }).ended).toBe(0);
    expect(world.attempts.result()).toMatchObject({
      outcome: 'succeeded',
      checks: [{ passed: false, exitCode: 3 }],
    });
    expect(textIn(world.attempts, 'src/mul.js')).toBe(MUL);
  });

  it('never takes an attempt without changes for a success', async () => {
    world = await openJobWorld([turn('end', 0, { text: 'Nothing to do.' })]);
    expect(await world.start({}).ended).toBe(0);
    expect(world.attempts.result()).toMatchObject({ outcome: 'failed', failure: { code: 'empty_output' } });
  });

  it('fails when the script has no answer', async () => {
    world = await openJobWorld([turn('never', 9, { text: 'x' })]);
    expect(await world.start({}).ended).toBe(0);
    expect(world.attempts.result()).toMatchObject({
      outcome: 'failed',
      failure: { code: 'invalid_input', message: expect.stringContaining('no answer') },
    });
  });

  it('gives a live model neither shell nor tests, and runs no checks, where nothing confines them', async () => {
    world = await openJobWorld([
      turn('try', 0, {
        tool_uses: [
          use('shell', { command: 'touch /tmp/penstock-was-here' }),
          use('run_tests'),
          write('src/mul.js', MUL),
        ],
      }),
      turn(
        'end',
        1,
        { text: 'Added mul.' },
        { lastToolResultContains: ['There is no tool shell', 'There is no tool run_tests'] },
      ),
    ]);
    const brief = {
      model: { id: 'claude-sonnet-5-5', provider: 'anthropic' as const, maxOutputTokens: 1_000 },
    };
    expect(await world.start(brief, { PENSTOCK_SANDBOX: 'none' }).ended).toBe(0);
    expect(world.attempts.result()).toMatchObject({ outcome: 'succeeded', checks: [] });
    expect(world.attempts.lines().some(({ kind }) => kind === 'checks')).toBe(false);
  });

  it('runs the set-up commands first, and fails when one fails', async () => {
    world = await openJobWorld([turn('never', 0, { text: 'x' })]);
    expect(await world.start({ contract: { setup: ['echo no registry; exit 7'] } }).ended).toBe(0);
    expect(world.attempts.result()).toMatchObject({
      outcome: 'failed',
      failure: { code: 'network', message: expect.stringContaining('no registry') },
    });
    expect(world.model.calls()).toEqual([]);
  });

  it('exits 0 and stores nothing when the ticket was used', async () => {
    world = await openJobWorld([turn('never', 0, { text: 'x' })]);
    const job = world.start({}, { PENSTOCK_TICKET: 'another-ticket-0123456789' });
    expect(await job.ended).toBe(0);
    expect(world.attempts.calls).toEqual(['/internal/attempts/claim']);
  });

  it('stops when its claim is gone, and finishes nothing', async () => {
    world = await openJobWorld([
      turn('wait', 0, { tool_uses: [use('shell', { command: 'sleep 20' })] }),
      turn('end', 1, { text: 'x' }),
    ]);
    const job = world.start({});
    await until(() => world.model.calls().length > 0);
    world.attempts.lose();
    const startedAt = Date.now();
    expect(await job.ended).toBe(0);
    expect(Date.now() - startedAt).toBeLessThan(10_000);
    expect(world.attempts.calls).not.toContain('/internal/attempts/finish');
    expect(world.leftovers()).toEqual([]);
  });

  it('wraps up on SIGTERM', async () => {
    world = await openJobWorld([
      turn('wait', 0, { tool_uses: [write('src/mul.js', MUL), use('shell', { command: 'sleep 2' })] }),
      turn('end', 1, { text: 'Half done.' }, { contains: ['Your time is nearly over'] }),
    ]);
    const job = world.start({});
    await until(() => world.model.calls().length > 0);
    job.child.kill('SIGTERM');
    expect(await job.ended).toBe(0);
    expect(world.attempts.result()).toMatchObject({ outcome: 'succeeded', summary: 'Half done.' });
  });

  it('survives answers of the platform that fail now and then', async () => {
    world = await openJobWorld([
      turn('write', 0, { tool_uses: [write('src/mul.js', MUL)] }),
      turn('end', 1, { text: 'Added mul.' }),
    ]);
    for (const path of ['/log', '/propose', '/finish']) world.attempts.failNext(path, 503, 2);
    expect(await world.start({}).ended).toBe(0);
    expect(world.attempts.result()).toMatchObject({ outcome: 'succeeded' });
  });

  it('names the variables that are wrong, and exits 2', async () => {
    world = await openJobWorld([turn('never', 0, { text: 'x' })]);
    const job = world.start({}, { PENSTOCK_ATTEMPTS_URL: 'ftp://x', PENSTOCK_SANDBOX: 'docker' });
    expect(await job.ended).toBe(2);
    expect(job.text()).toMatch(/PENSTOCK_ATTEMPTS_URL.*PENSTOCK_SANDBOX/);
    expect(job.text()).not.toContain('ticket-0123');
  });
});

describe('a job that was killed', () => {
  it('is continued by the next generation, with conversation and files as they last were in agreement', async () => {
    const command =
      'test -s src/mul.js && test ! -e half.txt && echo clean; echo half > half.txt; sleep 3; rm half.txt';
    world = await openJobWorld([
      turn('write', 0, { tool_uses: [write('src/mul.js', MUL)] }),
      turn('hang', 1, { tool_uses: [use('shell', { command })] }),
      turn('end', 2, { text: 'Continued.' }, { lastToolResultContains: ['clean'] }),
    ]);
    const first = world.start({});
    const isSaved = (): boolean => world.attempts.lines().some(({ kind }) => kind === 'checkpoint');
    await until(() => isSaved() && world.model.calls().length === 2);
    first.child.kill('SIGKILL');
    expect(await first.ended).toBe('SIGKILL');

    expect(await world.start({ generation: 2, resume: keepTranscript() }).ended).toBe(0);
    expect(world.attempts.result()).toMatchObject({ outcome: 'succeeded', summary: 'Continued.' });
    expect(world.attempts.accepted()?.changeSet.entries.map(({ path }) => path)).toEqual(['src/mul.js']);
    expect(world.model.calls().map(({ turn: id }) => id)).toEqual(['write', 'hang', 'hang', 'end']);
    expect(notes()).toContain('Continues generation 1 after 3 turns.');
    expect(world.leftovers()).toEqual([]);
  });

  it('is begun again clean, and says so, when its checkpoint is gone', async () => {
    world = await openJobWorld([
      turn('write', 0, { tool_uses: [write('src/mul.js', MUL), use('shell', { command: 'sleep 1' })] }),
      turn('end', 1, { text: 'Added mul.' }),
    ]);
    expect(await world.start({}).ended).toBe(0);
    const resume = { ...keepTranscript(), checkpoints: {} };
    expect(await world.start({ generation: 2, resume }).ended).toBe(0);
    expect(world.attempts.result()).toMatchObject({ outcome: 'succeeded' });
    expect(notes()).toContainEqual(expect.stringMatching(/^Starts clean, .*there is no URL/));
    expect(world.model.calls()).toHaveLength(4);
  });
});

/** What the platform would hand to the next generation. */
function keepTranscript() {
  const lines = world.attempts.lines();
  world.attempts.put('old/0.jsonl', lines.map((line) => JSON.stringify(line)).join('\n'));
  const keys = lines.flatMap((line) => (line.kind === 'checkpoint' ? [line.blob] : []));
  const checkpoints = Object.fromEntries(keys.map((key) => [key, world.attempts.blobUrl(key)]));
  return { generation: 1, transcriptUrls: [world.attempts.blobUrl('old/0.jsonl')], checkpoints };
}

function notes(): string[] {
  return world.attempts.lines().flatMap((line) => (line.kind === 'note' ? [line.text] : []));
}

async function until(isTrue: () => boolean): Promise<void> {
  const deadline = Date.now() + 20_000;
  while (!isTrue()) {
    if (Date.now() > deadline) throw new Error('it never happened');
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
