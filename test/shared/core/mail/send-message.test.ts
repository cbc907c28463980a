import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { buildBrief } from '../../../../shared/core/build-brief.ts';
import { claimTask } from '../../../../shared/core/claim-task.ts';
import { delegateSubtask } from '../../../../shared/core/delegation/delegate-subtask.ts';
import { reportSubtask } from '../../../../shared/core/delegation/report-subtask.ts';
import type { Fence } from '../../../../shared/core/fence.ts';
import { finishAttempt } from '../../../../shared/core/finish-attempt.ts';
import { messageIdOf } from '../../../../shared/core/mail/message-id.ts';
import { MAX_MAIL } from '../../../../shared/core/mail/post-message.ts';
import { sendMessage } from '../../../../shared/core/mail/send-message.ts';
import { reserve } from '../../../../shared/core/meter.ts';
import { mailOf, type MailRecord, refs } from '../../../../shared/core/refs.ts';
import { renewAttempt } from '../../../../shared/core/renew-attempt.ts';
import { type AgentMessage, agentMessage } from '../../../../shared/messages/agent-message.ts';
import { attemptResult } from '../../../../shared/messages/attempt-api.ts';
import { type Engine, startEngine, TENANT } from '../../../support/engine.ts';

const PLAN = [
  { id: 'api', agent: 'backend_developer', instructions: 'Build it.' },
  { id: 'look', agent: 'project_architect', instructions: 'Look at it.' },
  { id: 'docs', agent: 'technical_writer', instructions: 'Describe it.', dependencies: ['api', 'look'] },
];

let engine: Engine;
let run: string;
let api: Fence;
beforeEach(async () => {
  engine = await startEngine();
  run = (await engine.submit({ plan: PLAN })).id;
  const first = engine.mail.shift();
  if (first !== undefined) await engine.deliver(first);
  engine.mail.length = 0;
  api = await claim('api');
});
afterEach(() => engine.close());

async function claim(task: string, generation = 1): Promise<Fence> {
  const claimed = await claimTask(engine.ports, { v: 1, tenant: TENANT, run, task, generation });
  if (claimed.outcome !== 'mine') throw new Error(`${task} was not claimed: ${claimed.outcome}`);
  return claimed.fence;
}

let sent = 0;
function message(change: Partial<AgentMessage> = {}): AgentMessage {
  sent += 1;
  return {
    message_id: messageIdOf('test', String(sent)),
    timestamp: '2026-11-20T10:00:00Z',
    from_agent: 'backend_developer',
    to_agent: 'project_architect',
    message_type: 'handoff',
    context: {
      project: 'TaskManager',
      phase: 'development',
      deliverables: [{ type: 'api_specification', path: 'docs/api_spec.yaml', description: 'The routes' }],
    },
    next_tasks: [],
    ...change,
  };
}

const send = (fence: Fence, said: AgentMessage, correlation_id?: string) =>
  sendMessage(engine.ports, fence, {
    kind: 'message',
    message: said,
    ...(correlation_id === undefined ? {} : { correlation_id }),
  });
const delegate = () =>
  delegateSubtask(engine.ports, api, {
    kind: 'subtask',
    id: 'call-1',
    agent: 'qa_testing',
    title: 'Test it',
    instructions: 'Test the field.',
  });
const succeed = (fence: Fence, summary = 'done') =>
  finishAttempt(engine.ports, fence, attemptResult.parse({ outcome: 'succeeded', summary }));
const kept = async () =>
  (
    await engine.ports.store.query<MailRecord>({
      from: { collection: mailOf(TENANT, run) },
      orderBy: { field: 'seq' },
      limit: 200,
    })
  ).documents.map(({ data }) => data);

describe('A message between agents', () => {
  it('has the fields of a message and no other', () => {
    const whole = message();
    expect(agentMessage.safeParse(whole).success).toBe(true);
    expect(agentMessage.safeParse({ ...whole, more: 1 }).success).toBe(false);
    expect(agentMessage.safeParse({ ...whole, message_id: 'call-1' }).success).toBe(false);
    expect(agentMessage.safeParse({ ...whole, timestamp: 'yesterday' }).success).toBe(false);
  });

  it('reaches attempts that run and attempts that come later, each once', async () => {
    const review = await claim('look');
    await send(api, message());
    const { mail } = await renewAttempt(engine.ports, review);
    expect(mail?.map(({ from_agent }) => from_agent)).toEqual(['backend_developer']);
    expect((await renewAttempt(engine.ports, review)).mail).toBeUndefined();
    const failure = { code: 'network' as const, message: 'gone' };
    await finishAttempt(engine.ports, review, attemptResult.parse({ outcome: 'failed', failure }));
    engine.clock.advance(60_000);
    const again = await claim('look', 2);
    const brief = await buildBrief(
      engine.ports,
      again,
      await engine.task(run, 'look'),
      await engine.run(run),
    );
    expect(brief.mail).toHaveLength(1);
    expect((await renewAttempt(engine.ports, again, brief.seen)).mail).toBeUndefined();
  });

  it('holds no secret, wherever one stands', async () => {
    const secret = `ghp_${'a1B2c3D4e5'.repeat(4).slice(0, 36)}`;
    const context = {
      project: secret,
      phase: secret,
      deliverables: [{ type: secret, path: secret, description: secret }],
    };
    await send(api, message({ context, next_tasks: [secret] }));
    expect(JSON.stringify(await kept())).not.toContain(secret);
  });

  it.each([
    ['to an agent that there is not', { to_agent: 'nobody' }, 'forbidden'],
    ['that wants to be a subtask', { message_type: 'subtask' as const }, 'forbidden'],
    ['that is too large', { next_tasks: Array.from({ length: 20 }, () => 'x'.repeat(1_000)) }, 'too_large'],
  ])('%s is refused', async (_, change, code) => {
    await expect(send(api, message(change))).rejects.toMatchObject({ code });
    expect(await kept()).toEqual([]);
  });

  it(`is the last after ${MAX_MAIL} of one run`, async () => {
    const current = await engine.run(run);
    await engine.ports.store.commit([
      { op: 'set', ref: refs.run(TENANT, run), data: { ...current, mail: MAX_MAIL - 1 } },
    ]);
    await send(api, message());
    await expect(send(api, message())).rejects.toThrow(`${MAX_MAIL} messages`);
  });

  it('is among the newest that a prompt has room for', async () => {
    const large = (n: number) =>
      message({ next_tasks: [`step ${n}`, ...Array.from({ length: 7 }, () => 'x'.repeat(2_000))] });
    for (let n = 1; n <= 5; n += 1) await send(api, large(n));
    const { mail = [] } = await renewAttempt(engine.ports, await claim('look'));
    expect(mail.map(({ next_tasks }) => next_tasks[0])).toEqual(['step 3', 'step 4', 'step 5']);
  });

  it('sent by many at once gets a number of its own', async () => {
    const review = await claim('look');
    await Promise.all([
      send(api, message()),
      send(review, message({ to_agent: 'qa_testing' })),
      send(api, message()),
    ]);
    expect((await kept()).map(({ seq }) => seq)).toEqual([1, 2, 3]);
    expect((await engine.run(run)).mail).toBe(3);
  });
});

describe('A subtask', () => {
  it('is told to the run as a message, and its end to who delegated it', async () => {
    await delegate();
    const child = await claim('api-s1');
    await succeed(child, 'Three tests more.');
    await reportSubtask(engine.ports, await engine.task(run, 'api-s1'));
    await reportSubtask(engine.ports, await engine.task(run, 'api-s1'));
    expect((await kept()).map((each) => [each.message.message_type, each.correlationId])).toEqual([
      ['subtask', 'api-s1'],
      ['result', 'api-s1'],
    ]);
    const { mail } = await renewAttempt(engine.ports, api);
    expect(mail).toHaveLength(1);
    expect(JSON.stringify(mail)).toContain('Three tests more.');
  });

  it('that ended when its parent had is told to nobody', async () => {
    await delegate();
    await succeed(api);
    await succeed(await claim('api-s1'));
    await reportSubtask(engine.ports, await engine.task(run, 'api-s1'));
    expect((await kept()).map((each) => each.message.message_type)).toEqual(['subtask']);
  });
});

describe('A complete by a third agent', () => {
  const done = () =>
    message({ message_type: 'complete', from_agent: 'project_architect', to_agent: 'backend_developer' });

  it('ends a subtask that has not begun, with the message as its result', async () => {
    await delegate();
    const review = await claim('look');
    expect((await send(review, done(), 'api-s1')).note).toContain('is completed with it');
    const task = await engine.task(run, 'api-s1');
    expect(task).toMatchObject({ state: 'succeeded', settled: true, live: false, attempts: [] });
    expect(task.result?.summary).toContain('docs/api_spec.yaml');
    expect(task.history.at(-1)).toMatchObject({ state: 'succeeded', by: 'look/1' });
    await succeed(api);
    await succeed(review);
    await engine.drain();
    expect((await engine.run(run)).stage).toBe('succeeded');
  });

  it('takes the fence of an attempt that is at it, and charges what it had open', async () => {
    await delegate();
    const review = await claim('look');
    const child = await claim('api-s1');
    await reserve(engine.ports, child, { microUsd: 1_000, model: 'claude-sonnet-5-5' });
    await send(review, done(), 'api-s1');
    const [attempt] = (await engine.task(run, 'api-s1')).attempts;
    expect(attempt?.meter).toMatchObject({ spentMicroUsd: 1_000, reservedMicroUsd: 0 });
    await expect(renewAttempt(engine.ports, child)).rejects.toMatchObject({ code: 'stale' });
    expect(await succeed(child, 'too late')).toBe('stale');
    expect((await engine.task(run, 'api-s1')).result?.summary).not.toContain('too late');
  });

  it('has no effect on one that has ended, and says so', async () => {
    await delegate();
    const review = await claim('look');
    await succeed(await claim('api-s1'), 'by itself');
    const before = await engine.task(run, 'api-s1');
    expect((await send(review, done(), 'api-s1')).note).toContain('had ended before');
    expect(await engine.task(run, 'api-s1')).toEqual(before);
  });

  it('said twice is followed twice and done once', async () => {
    await delegate();
    const review = await claim('look');
    const said = done();
    engine.mail.length = 0;
    await send(review, said, 'api-s1');
    const after = await engine.task(run, 'api-s1');
    expect((await send(review, said, 'api-s1')).note).toContain('is completed with it');
    expect(await engine.task(run, 'api-s1')).toEqual(after);
    expect(engine.mail.map(({ topic }) => topic)).toEqual(['task-finished', 'task-finished']);
  });

  it.each(['docs', 'nothing', 'api'])('of %s, which is no subtask of the run, is refused', async (id) => {
    const review = await claim('look');
    await expect(send(review, done(), id)).rejects.toMatchObject({ code: 'forbidden' });
    expect(await kept()).toEqual([]);
  });
});

describe('A brief', () => {
  it('tells the next attempt what the one before delegated, and how it stands', async () => {
    await delegate();
    await succeed(await claim('api-s1'), 'Three tests more.');
    const failure = { code: 'network' as const, message: 'gone' };
    await finishAttempt(engine.ports, api, attemptResult.parse({ outcome: 'failed', failure }));
    engine.clock.advance(60_000);
    const next = await claim('api', 2);
    const brief = await buildBrief(engine.ports, next, await engine.task(run, 'api'), await engine.run(run));
    expect(brief.subtasks).toEqual([
      {
        task: 'api-s1',
        agent: 'qa_testing',
        title: 'Test it',
        state: 'succeeded',
        summary: 'Three tests more.',
      },
    ]);
  });

  it('shows what stands behind a task the results of its subtasks too, and of theirs', async () => {
    await delegate();
    const child = await claim('api-s1');
    await delegateSubtask(engine.ports, child, {
      kind: 'subtask',
      id: 'call-1',
      agent: 'technical_writer',
      title: 'Name it',
      instructions: 'Name the cases.',
    });
    await succeed(await claim('api-s1-s1'), 'Named.');
    await succeed(child, 'Tested.');
    await succeed(api, 'Built.');
    await succeed(await claim('look'), 'Looked at.');
    const docs = await claim('docs');
    const brief = await buildBrief(engine.ports, docs, await engine.task(run, 'docs'), await engine.run(run));
    expect(brief.dependencies.map(({ summary }) => summary)).toEqual([
      'Built.',
      'Tested.',
      'Named.',
      'Looked at.',
    ]);
  });
});
