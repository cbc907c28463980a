import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { keepMessageLetter } from '../../../shared/core/keep-message-letter.ts';
import { lettersOf } from '../../../shared/core/refs.ts';
import { replayDeadLetter } from '../../../shared/core/replay-dead-letter.ts';
import { sweep } from '../../../shared/core/sweep.ts';
import type { Attributes } from '../../../shared/ports/queue.ts';
import { type Engine, startEngine, TENANT } from '../../support/engine.ts';

const task = (id: string, agent: string, dependencies: string[] = []) => ({
  id,
  agent,
  instructions: 'Do it.',
  dependencies,
});
/** Of one pool and of another, and waited for by both. */
const PLAN = [
  task('design', 'project_architect'),
  task('code', 'backend_developer', ['design']),
  task('text', 'technical_writer', ['design']),
  task('tests', 'qa_testing', ['code', 'text']),
];
const POOLS = { design: 'core', code: 'specialist', text: 'core', tests: 'specialist' };

describe('What a dispatch says of itself', () => {
  let engine: Engine;
  let dispatches: Attributes[];
  beforeEach(async () => {
    engine = await startEngine();
    dispatches = [];
    const { queue } = engine.ports;
    const publish = queue.publish.bind(queue);
    queue.publish = async (topic, message, options = {}) => {
      if (topic === 'task-dispatched') dispatches.push(options.attributes ?? {});
      await publish(topic, message, options);
    };
  });
  afterEach(() => engine.close());

  it('is its ids, its pool and its priority, whoever publishes it', async () => {
    const { id: run } = await engine.submit({ plan: PLAN, priority: 'high' });
    await engine.drain();
    const said = Object.entries(POOLS).map(([id, pool]) => ({
      topic: 'task-dispatched',
      tenant: TENANT,
      run,
      task: id,
      generation: '1',
      'agent-type': pool,
      priority: 'high',
      traceparent: expect.any(String),
    }));
    expect(dispatches).toEqual(said);
  });

  it('is the same when a sweep has to say it again, and when a person replays it', async () => {
    const { id: run } = await engine.submit({
      plan: [task('special', 'backend_developer')],
      priority: 'low',
    });
    const [accepted] = engine.mail.splice(0);
    if (accepted === undefined) throw new Error('nothing was published');
    await engine.deliver(accepted);
    const [lost] = engine.mail.splice(0);
    if (lost === undefined) throw new Error('nothing was dispatched');
    await sweep(engine.ports, { runCheckMs: 0 });
    await keepMessageLetter(engine.ports, {
      topic: lost.topic,
      subscription: 'agent-execution',
      messageId: 'm1',
      message: lost.message,
      attributes: dispatches[0] ?? {},
      error: 'none',
    });
    const from = { collection: lettersOf(TENANT) };
    const [letter] = (await engine.ports.store.query({ from, limit: 1 })).documents;
    await replayDeadLetter(engine.ports, { tenant: TENANT, id: letter?.ref.id ?? '', by: 'someone' });
    expect(dispatches).toHaveLength(3);
    for (const attributes of dispatches) {
      expect(attributes).toMatchObject({ run, task: 'special', 'agent-type': 'specialist', priority: 'low' });
    }
  });
});
