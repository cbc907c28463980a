import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { GREETING, greetingOf } from '../support/scripts/greeting.ts';
import { type IntegrationBench, startIntegrationBench } from '../support/scripts/integration-bench.ts';
import { patience } from '../support/platform.ts';
import { reviews, rewrites, scriptOf, turn, writes } from '../support/scripts/turns.ts';

/** Of many jobs one after the other, on a busy machine. */
jest.setTimeout(patience(300_000));

let bench: IntegrationBench;
afterEach(() => bench.stop());

/** An agent that hands a part to the technical writer, then writes its own file. */
function delegatesAndWrites(task: string, title: string, files: Record<string, string>) {
  const delegation = {
    name: 'delegate_subtask',
    input: { agent: 'technical_writer', title, instructions: `${title}.` },
  };
  const [path, content] = Object.entries(files)[0] ?? [];
  const write = { name: 'write_file', input: { path, content } };
  return [
    turn('backend_developer', { task, assistantTurns: 0 }, { tool_uses: [delegation, write] }),
    turn('backend_developer', { task, lastToolResultContains: ['wrote '] }, { text: `${task} is done.` }),
  ];
}

describe('A change that one agent delegates to another in the job lane (001-04)', () => {
  it('is mended by its own agent where it collides with what the other wrote meanwhile', async () => {
    bench = await startIntegrationBench({
      files: GREETING,
      script: scriptOf(
        delegatesAndWrites('audience', 'Say it warmly', greetingOf('hello, world')),
        writes('technical_writer', 'audience-s1', greetingOf('a warm hello')),
        rewrites('technical_writer', 'fix-1', {
          told: ['<<<<<<<', 'hello, world', 'a warm hello', 'Say it warmly'],
          reads: 'greeting.js',
          found: 'hello, world',
          files: greetingOf('a warm hello, world'),
        }),
        reviews('review-2', 'approve', ["+export const greeting = 'a warm hello, world';"]),
      ),
    });
    const run = await bench.submit([
      { id: 'audience', agent: 'backend_developer', instructions: 'Greet the world' },
    ]);
    expect(await bench.platform.ended(run)).toMatchObject({
      stage: 'succeeded',
      fixRounds: 1,
      changeOrder: ['audience', 'fix-1'],
    });
    expect(await bench.task(run, 'fix-1')).toMatchObject({
      agent: 'technical_writer',
      fixes: { task: 'audience-s1', cause: 'conflict' },
      inputs: ['audience'],
    });
  });
});
