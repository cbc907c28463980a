import { afterEach, describe, expect, it } from '@jest/globals';
import type { Worker } from '../../../shared/core/ports.ts';
import type { Agent } from '../../../shared/messages/agent-file.ts';
import { type AgentView, agentView, listOf, taskView } from '../../../shared/messages/run-view.ts';
import { type Platform, type PlatformOptions, startPlatform } from '../../support/platform.ts';

/** Two agents that can do the same, beside those that ship. */
function withPoets(agents: ReadonlyMap<string, Agent>): ReadonlyMap<string, Agent> {
  const writer = agents.get('technical_writer');
  if (writer === undefined) throw new Error('the technical writer is gone');
  const poet = (name: string): [string, Agent] => [name, { ...writer, name, capabilities: ['poems'] }];
  return new Map([...agents, poet('poet_a'), poet('poet_b')]);
}

describe('the registry of agents over HTTP', () => {
  let platform: Platform;
  let finish = (): void => undefined;
  afterEach(async () => {
    finish();
    await platform.stop();
  });
  const start = async (work: Worker, options: PlatformOptions = {}) => {
    const decorate: PlatformOptions['decorate'] = (ports) => ({ ...ports, agents: withPoets(ports.agents) });
    platform = await startPlatform({ work, decorate, ...options });
  };
  const get = async (path: string): Promise<unknown> => (await fetch(`${platform.url}${path}`)).json();
  async function agent(name: string): Promise<AgentView> {
    const { items } = listOf(agentView).parse(await get('/api/agents'));
    const found = items.find((each) => each.name === name);
    if (found === undefined) throw new Error(`there is no agent ${name}`);
    return found;
  }
  const tasksOf = async (run: string) =>
    listOf(taskView).parse(await get(`/api/runs/${run}/tasks?limit=200`)).items;
  async function submit(tasks: object[]): Promise<{ status: number; body: Record<string, unknown> }> {
    const plan = { tasks: tasks.map((task) => ({ instructions: 'Write.', ...task })) };
    return platform.post('/api/requirements', { requirement: 'Write poems', plan });
  }
  async function until<T>(read: () => Promise<T>, holds: (value: T) => boolean): Promise<T> {
    for (let tries = 0; tries < 200; tries += 1) {
      const value = await read();
      if (holds(value)) return value;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    throw new Error(`it never came to that: ${JSON.stringify(await read())}`);
  }

  it('gives each task that asks for a capability to whoever has the least to do (000-04, 003-102)', async () => {
    const finished = new Promise<void>((resolve) => {
      finish = resolve;
    });
    await start(async () => {
      await finished;
      return { outcome: 'succeeded', summary: 'done' };
    });
    const tasks = Array.from({ length: 4 }, (_, n) => ({ id: `poem${n}`, capability: 'poems' }));
    const { body } = await submit([...tasks, { id: 'named', agent: 'poet_a' }]);
    const run = String(body['runId']);
    await until(
      () => tasksOf(run),
      (all) => all.length === 5 && all.every(({ state }) => state === 'running'),
    );
    expect((await agent('poet_a')).load.running + (await agent('poet_b')).load.running).toBe(5);
    const picked = (await tasksOf(run)).filter(({ capability }) => capability === 'poems');
    expect(picked).toHaveLength(4);
    expect(new Set(picked.map((task) => task.agent))).toEqual(new Set(['poet_a', 'poet_b']));
    for (const task of picked) expect(task.attempts.at(-1)?.agent).toBe(task.agent);
    finish();
    await platform.ended(run);
    expect(await agent('poet_a')).toMatchObject({
      health: { state: 'healthy' },
      load: { running: 0, waiting: 0 },
    });
  });

  it('refuses a capability that nobody has, and a task that names both or neither', async () => {
    await start(() => Promise.resolve({ outcome: 'succeeded', summary: 'done' }));
    const unknown = await submit([{ id: 'a', capability: 'alchemy' }]);
    expect(unknown.status).toBe(400);
    expect(JSON.stringify(unknown.body)).toContain('task a asks for alchemy, which no agent can; known are');
    for (const task of [{ id: 'a', agent: 'poet_a', capability: 'poems' }, { id: 'a' }])
      expect(await submit([task])).toMatchObject({ status: 400 });
  });

  it('shows which agent fails, why and since when, while the others go on (000-03, 000-08, 003-10)', async () => {
    await start(async (open) => {
      const { agent: name } = (await open()).attempt.brief;
      return name === 'poet_a'
        ? { outcome: 'failed', failure: { code: 'invalid_output', message: 'no rhyme' } }
        : { outcome: 'succeeded', summary: 'done' };
    });
    const bad = Array.from({ length: 9 }, (_, n) => ({ id: `bad${n}`, agent: 'poet_a', optional: true }));
    const good = Array.from({ length: 9 }, (_, n) => ({ id: `good${n}`, agent: 'poet_b' }));
    const { body } = await submit([...bad, ...good]);
    const run = String(body['runId']);
    const broken = await until(
      () => agent('poet_a'),
      ({ health }) => health.state === 'open',
    );
    expect(broken.health).toEqual({
      state: 'open',
      since: expect.any(String),
      reason: expect.stringContaining('no rhyme'),
    });
    await until(
      () => tasksOf(run),
      (all) => all.every(({ id, state }) => !id.startsWith('good') || state === 'succeeded'),
    );
    expect((await agent('poet_b')).health).toEqual({ state: 'healthy' });
  });
});
