import { describe, expect, it } from '@jest/globals';
import { teamTools } from '../../../../shared/core/work/team-tools.ts';
import { type AttemptBrief, proposal, type Proposal } from '../../../../shared/messages/attempt-api.ts';
import { PenstockError } from '../../../../shared/ports/penstock-error.ts';
import { createManualClock } from '../../../support/work/manual-clock.ts';
import { briefFor } from '../../../support/work/memory-attempt.ts';
import { roster } from '../../../support/work/run-worker.ts';

const clock = createManualClock();
const signal = new AbortController().signal;
const SUBTASK = { agent: 'qa_testing', title: 'Test it', instructions: 'Test the field.' };
const MESSAGE = {
  to_agent: 'qa_testing',
  message_type: 'complete',
  context: { project: 'TaskManager', phase: 'development', deliverables: [] },
  next_tasks: [],
  correlation_id: 'api-s1',
};

function open(
  brief: Partial<AttemptBrief> = {},
  answer: (asked: Proposal) => { key: string; note?: string } = () => ({ key: 'api-s1', note: 'Under way.' }),
) {
  const asked: Proposal[] = [];
  const tools = teamTools({
    agents: roster.agents,
    clock,
    attempt: {
      brief: briefFor(clock.now(), brief),
      async propose(given) {
        asked.push(proposal.parse(given));
        return answer(given);
      },
    },
  });
  const run = (name: string, input: unknown, callId = 'call-1') =>
    tools.find(({ spec }) => spec.name === name)!.run(input, signal, callId);
  return { tools, asked, run };
}

describe('The tools towards the team', () => {
  it.each([
    ['work', 'backend_developer', ['delegate_subtask', 'send_message']],
    ['fix', 'backend_developer', ['send_message']],
    ['review', 'code_reviewer', ['send_message']],
    ['work', 'code_reviewer', ['send_message']],
    ['plan', 'project_architect', []],
    ['work', 'integrator', []],
  ] as const)('of a %s task of %s are as its file says and the task allows', (kind, agent, names) => {
    expect(open({ kind, agent }).tools.map(({ spec }) => spec.name)).toEqual(names);
  });

  it('name the agents that there are, and not the platform’s own', () => {
    const [delegate] = open().tools;
    expect(delegate?.spec.description).toContain('technical_writer (');
    expect(delegate?.spec.description).not.toContain('integrator');
  });

  it('propose one and the same subtask for one call, and another one for another', async () => {
    const { asked, run } = open();
    expect(await run('delegate_subtask', SUBTASK)).toMatchObject({ content: 'Under way.', isError: false });
    await run('delegate_subtask', SUBTASK);
    await run('delegate_subtask', SUBTASK, 'call-2');
    const ids = asked.map((each) => (each.kind === 'subtask' ? each.id : ''));
    expect(ids[0]).toBe(ids[1]);
    expect(ids[2]).not.toBe(ids[0]);
    expect(asked[0]).toMatchObject({ kind: 'subtask', ...SUBTASK });
  });

  it('send a whole message with the id of the call', async () => {
    const { asked, run } = open();
    await run('send_message', MESSAGE);
    await run('send_message', MESSAGE);
    expect(asked[0]).toEqual(asked[1]);
    expect(asked[0]).toMatchObject({
      kind: 'message',
      correlation_id: 'api-s1',
      message: { from_agent: 'backend_developer', message_type: 'complete' },
    });
  });

  it.each([
    ['delegate_subtask', { agent: 'qa_testing' }, 'title'],
    ['send_message', { ...MESSAGE, message_type: 'subtask' }, 'message_type'],
  ])('tell the agent what is wrong with its %s', async (name, input, word) => {
    const { asked, run } = open();
    const result = await run(name, input);
    expect(result.isError).toBe(true);
    expect(result.content).toContain(word);
    expect(asked).toEqual([]);
  });

  it('tell the agent why the platform refused, as a call that was denied', async () => {
    const { run } = open({}, () => {
      throw new PenstockError('budget', 'a subtask of $1 is too much');
    });
    expect(await run('delegate_subtask', SUBTASK)).toEqual({
      content: 'a subtask of $1 is too much',
      isError: true,
      summary: 'denied by the platform',
    });
  });

  it('say nothing of an attempt that is over: it stops', async () => {
    const { run } = open({}, () => {
      throw new PenstockError('stale', 'gone');
    });
    await expect(run('delegate_subtask', SUBTASK)).rejects.toMatchObject({ code: 'stale' });
  });
});
