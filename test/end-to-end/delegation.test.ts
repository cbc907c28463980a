import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { OpenAttempt } from '../../shared/core/ports.ts';
import { agentMessage, type AgentMessage } from '../../shared/messages/agent-message.ts';
import type { AttemptResultInput } from '../../shared/messages/attempt-api.ts';
import type { TaskView } from '../../shared/messages/run-view.ts';
import { PenstockError } from '../../shared/ports/penstock-error.ts';
import { inProcess, type Platform, startPlatform } from '../support/platform.ts';

const describeHere = inProcess(describe, 'agents that the test plays itself');

const PLAN = [
  { id: 'api', agent: 'backend_developer', instructions: 'Build the login.' },
  { id: 'look', agent: 'project_architect', instructions: 'Look at what the others find.' },
  { id: 'docs', agent: 'technical_writer', instructions: 'Describe it.', dependencies: ['api', 'look'] },
];
/** The example values of 003-31. */
const CONTEXT = {
  project: 'TaskManager',
  phase: 'development',
  deliverables: [
    { type: 'api_specification', path: 'docs/api_spec.yaml', description: 'Routes of the login' },
  ],
};
const MESSAGE: AgentMessage = {
  message_id: '3f6c1d8e-6f0a-4a7e-9f55-0a4c6f6a2b10',
  timestamp: '2026-01-01T00:00:00Z',
  from_agent: 'technical_writer',
  to_agent: 'project_architect',
  message_type: 'result',
  context: CONTEXT,
  next_tasks: ['Check the routes'],
};

const done = (summary: string): AttemptResultInput => ({ outcome: 'succeeded', summary });
const pause = () => new Promise((resolve) => setTimeout(resolve, 20));

/** The first message of this kind that another agent sends to the attempt. */
async function heard({ attempt }: OpenAttempt, type: AgentMessage['message_type']): Promise<AgentMessage> {
  for (;;) {
    const { mail = [] } = await attempt.renew();
    const found = mail.find(({ message_type }) => message_type === type);
    if (found !== undefined) return found;
    await pause();
  }
}

/** What each of the four agents does: 1 delegates, 2 tells 3, and 3 says that it is complete. */
const parts: Record<string, (open: OpenAttempt) => Promise<AttemptResultInput>> = {
  async api(open) {
    const wanted = {
      kind: 'subtask',
      id: 'call-1',
      agent: 'qa_testing',
      title: 'Specify the routes',
    } as const;
    const asked = { ...wanted, instructions: 'Write down the routes of the login.' };
    await open.attempt.propose(asked);
    await open.attempt.propose(asked);
    const { from_agent, context } = await heard(open, 'result');
    return done(`Built it; ${from_agent} said: ${context.deliverables[0]?.description ?? ''}`);
  },
  async 'api-s1'(open) {
    await open.attempt.propose({ kind: 'message', message: MESSAGE, correlation_id: 'api-s1' });
    // Until somebody else has completed it.
    for (;;) {
      await open.attempt.renew();
      await pause();
    }
  },
  async look(open) {
    const result = await heard(open, 'result');
    const message: AgentMessage = {
      ...result,
      message_id: '8a0f5f0e-52c3-4a57-8d0e-5b0a6d2f9c11',
      to_agent: 'backend_developer',
      message_type: 'complete',
      next_tasks: [],
    };
    const { note } = await open.attempt.propose({ kind: 'message', message, correlation_id: 'api-s1' });
    return done(note ?? '');
  },
  docs: ({ attempt }) =>
    Promise.resolve(
      done(attempt.brief.dependencies.map(({ task, summary }) => `${task}: ${summary}`).join('\n')),
    ),
};

describeHere('Agents that work together (001-04, 001-05, 001-06, 001-07)', () => {
  let platform: Platform;
  let run: string;
  const wrong: unknown[] = [];
  const read = async <T>(path: string): Promise<T> =>
    (await fetch(`${platform.url}${path}`)).json() as Promise<T>;

  beforeAll(async () => {
    platform = await startPlatform({
      async work(open) {
        const opened = await open();
        const part = parts[opened.attempt.brief.task];
        try {
          return part === undefined ? done('nothing to do') : await part(opened);
        } catch (error) {
          if (!(error instanceof PenstockError && error.code === 'stale')) wrong.push(error);
          throw error;
        }
      },
    });
    const { status, body } = await platform.post('/api/requirements', {
      requirement: 'People log in.',
      plan: { tasks: PLAN },
    });
    expect(status).toBe(202);
    run = String(body['runId']);
    await platform.ended(run);
  });
  afterAll(() => platform.stop());

  it('end their run with all that they made, the subtask completed by a third of them', async () => {
    expect(wrong).toEqual([]);
    expect((await read<{ stage: string }>(`/api/runs/${run}`)).stage).toBe('succeeded');
    const { items } = await read<{ items: TaskView[] }>(`/api/runs/${run}/tasks`);
    expect(items.map(({ id, state, parent }) => [id, state, parent])).toEqual([
      ['api', 'succeeded', undefined],
      ['api-s1', 'succeeded', 'api'],
      ['docs', 'succeeded', undefined],
      ['look', 'succeeded', undefined],
    ]);
    const subtask = items.find(({ id }) => id === 'api-s1');
    expect(subtask?.history.at(-1)).toMatchObject({ by: 'look/1', note: 'completed by project_architect' });
    expect(subtask?.attempts.map(({ exit }) => exit?.message)).toEqual(['completed by project_architect']);
  });

  it('hear of each other: the delegating one while it works, those behind it in their brief', async () => {
    const { items } = await read<{ items: TaskView[] }>(`/api/runs/${run}/tasks`);
    const summaryOf = (id: string) => items.find((task) => task.id === id)?.summary;
    expect(summaryOf('look')).toContain('Subtask api-s1 is completed with it');
    expect(summaryOf('api')).toContain('api_specification docs/api_spec.yaml: Routes of the login');
    expect(summaryOf('docs')).toContain('api: Built it');
    expect(summaryOf('docs')).toContain('api-s1: Completed by project_architect');
  });

  it('leave messages that everybody of the tenant can read, page by page (003-30, 003-31)', async () => {
    const all: AgentMessage[] = [];
    let cursor: string | undefined;
    do {
      const query = `limit=3${cursor === undefined ? '' : `&cursor=${encodeURIComponent(cursor)}`}`;
      const page = await read<{ items: unknown[]; next?: string }>(`/api/runs/${run}/messages?${query}`);
      all.push(...page.items.map((item) => agentMessage.parse(item)));
      cursor = page.next;
    } while (cursor !== undefined);
    expect(all.map(({ message_type, from_agent, to_agent }) => [message_type, from_agent, to_agent])).toEqual(
      [
        ['subtask', 'backend_developer', 'qa_testing'],
        ['result', 'qa_testing', 'project_architect'],
        ['complete', 'project_architect', 'backend_developer'],
        ['result', 'qa_testing', 'backend_developer'],
      ],
    );
    expect(all[1]).toMatchObject({ message_id: MESSAGE.message_id, context: CONTEXT });
    expect(all[1]?.timestamp).not.toBe(MESSAGE.timestamp);
  });

  it('spend no more than their run was given', async () => {
    const tasks = await platform.tasks(run);
    const allotted = tasks
      .filter(({ kind }) => kind === 'work')
      .reduce((sum, { allotmentMicroUsd }) => sum + allotmentMicroUsd, 0);
    expect(allotted).toBeLessThanOrEqual((await platform.run(run)).budget.limitMicroUsd);
  });
});
