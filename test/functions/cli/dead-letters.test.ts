import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { keepMessageLetter } from '../../../shared/core/keep-message-letter.ts';
import { type Platform, startPlatform, TENANT } from '../../support/platform.ts';
import { runPenstock } from '../../support/run-penstock.ts';

describe('penstock dead-letters (000-10)', () => {
  let platform: Platform;
  let task: string;
  beforeAll(async () => {
    platform = await startPlatform({
      work: () =>
        Promise.resolve({ outcome: 'failed', failure: { code: 'invalid_input', message: 'nothing to do' } }),
    });
    const plan = { tasks: [{ id: 'write', agent: 'project_architect', instructions: 'Write.' }] };
    const { body } = await platform.post('/api/requirements', { requirement: 'Write it down', plan });
    const { id } = await platform.ended(String(body['runId']));
    task = `${id}-write-1`;
    await keepMessageLetter(platform.ports, {
      topic: 'run-accepted',
      subscription: 'decomposition',
      messageId: 'm-1',
      message: { colour: 'red' },
      attributes: { tenant: TENANT },
      error: 'not a run-accepted message',
    });
  });
  afterAll(() => platform.stop());

  const penstock = (...args: string[]) =>
    runPenstock(['dead-letters', ...args], { env: { PENSTOCK_URL: platform.url } });

  it('lists them one a line, replays and discards them by id', async () => {
    const [text, json] = await Promise.all([penstock(), penstock('list', '--json', '--state', 'open')]);
    expect(text.code).toBe(0);
    expect(text.stdout).toMatch(
      new RegExp(`^${task} .* open +task .*/write after 1 attempts: nothing to do$`, 'm'),
    );
    expect(text.stdout).toMatch(/open +message to decomposition: not a run-accepted message$/m);
    const { items } = JSON.parse(json.stdout) as { items: { id: string; kind: string }[] };
    expect(items).toHaveLength(2);
    const message = items.find(({ kind }) => kind === 'message')?.id ?? '';

    const [replayed, discarded] = await Promise.all([
      penstock('replay', task),
      penstock('discard', message, '--json'),
    ]);
    expect(replayed).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(
        new RegExp(`^dead letter ${task} is replayed \\(1\\): as run [a-z0-9]+\n$`),
      ),
    });
    expect(JSON.parse(discarded.stdout)).toMatchObject({ id: message, state: 'discarded' });
  });

  it('says what is wrong with a command, and ends with 2', async () => {
    const [none, unknown, state, refused] = await Promise.all([
      penstock('replay'),
      penstock('burn', 'x'),
      penstock('--state', 'lost'),
      penstock('discard', 'nope'),
    ]);
    expect(none).toMatchObject({ code: 2, stderr: expect.stringContaining('say which letter to replay') });
    expect(unknown).toMatchObject({ code: 2, stderr: expect.stringContaining('list, replay, discard') });
    expect(state).toMatchObject({ code: 2, stderr: expect.stringContaining('open, replayed, discarded') });
    expect(refused).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('there is no dead letter "nope"'),
    });
  });
});
