import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { candidatesFor } from '../../../../shared/core/agent-registry/candidates.ts';
import { pickAgent } from '../../../../shared/core/agent-registry/pick-agent.ts';
import { agentCircuit } from '../../../../shared/core/circuits/circuit.ts';
import type { Ports } from '../../../../shared/core/ports.ts';
import { refs } from '../../../../shared/core/refs.ts';
import type { Agent } from '../../../../shared/messages/agent-file.ts';
import { countPorts, emptyBill } from '../../../support/count-ports.ts';
import { type Engine, shippedAgents, startEngine, TENANT } from '../../../support/engine.ts';
import { taskOf } from '../../../support/records.ts';

const shipped = await shippedAgents();
const writer = shipped.get('technical_writer') as Agent;
const like = (name: string, changes: Partial<Agent> = {}): [string, Agent] => [
  name,
  { ...writer, name, capabilities: ['Poems'], ...changes },
];
const agents = new Map([
  ...shipped,
  like('poet_b'),
  like('poet_a'),
  like('poet_c'),
  like('poet_fast', { lane: 'function' }),
  like('poet_judge', { category: 'assessment', result: 'review' }),
  like('poet_platform', { category: 'platform' }),
]);

describe('the agents that have a capability', () => {
  it('are those that may stand in for the first by name: same lane, pool and kind of result', () => {
    const names = candidatesFor(' poems', agents).map(({ name }) => name);
    expect(names).toEqual(['poet_a', 'poet_b', 'poet_c']);
    expect(candidatesFor('integration', agents)).toEqual([]);
  });
});

describe('picking an agent', () => {
  let engine: Engine;
  let ports: Ports;
  beforeEach(async () => {
    engine = await startEngine();
    ports = { ...engine.ports, agents };
  });
  afterEach(() => engine.close());
  const poem = (id: string, changes = {}) => taskOf({ id, agent: 'poet_a', capability: 'poems', ...changes });
  const running = (id: string, agent: string, tenant = TENANT) =>
    ports.store.create(
      refs.task(tenant, 'run1', id),
      taskOf({ id, tenant, agent, state: id.startsWith('s') ? 'starting' : 'running' }),
    );

  it('leaves a task the agent that it names, without looking at anything', async () => {
    const bill = emptyBill();
    const { capability: _none, ...named } = poem('a');
    expect(await pickAgent(countPorts(bill)(ports), named)).toBe('poet_a');
    expect(bill).toEqual(emptyBill());
  });

  it('takes the one with the fewest running attempts, of equals the first by name', async () => {
    expect(await pickAgent(ports, poem('a'))).toBe('poet_a');
    engine.clock.advance(60_000);
    await running('r1', 'poet_a');
    await running('s2', 'poet_b');
    await running('r3', 'poet_b');
    expect(await pickAgent(ports, poem('b'))).toBe('poet_c');
    engine.clock.advance(60_000);
    await running('r4', 'poet_c', 'other');
    expect(await pickAgent(ports, poem('b'))).toBe('poet_c');
  });

  it('spreads what begins at the same moment evenly', async () => {
    const picks = await Promise.all(Array.from({ length: 9 }, (_, n) => pickAgent(ports, poem(`t${n}`))));
    expect(picks.toSorted()).toEqual(['a', 'a', 'a', 'b', 'b', 'b', 'c', 'c', 'c'].map((x) => `poet_${x}`));
  });

  it('keeps nobody for the next time', async () => {
    await running('r1', 'poet_a');
    expect(await pickAgent(ports, poem('a', { attempts: [] }))).toBe('poet_b');
    await running('r2', 'poet_b');
    engine.clock.advance(60_000);
    expect(await pickAgent(ports, poem('a', { agent: 'poet_b' }))).toBe('poet_c');
  });

  it('passes an agent over whose circuit is open, however little it has to do; of broken ones it takes the next to be tried', async () => {
    await ports.store.create(refs.settings(TENANT), { v: 1, circuitFailures: 1, circuitResetSeconds: 60 });
    const fail = (agent: string) =>
      ports.circuits.failed(agentCircuit(TENANT, agent), {
        reason: 'internal: broke',
        since: engine.clock.now(),
      });
    await running('r1', 'poet_b');
    await running('r2', 'poet_b');
    await running('r3', 'poet_c');
    await fail('poet_a');
    expect(await pickAgent(ports, poem('a'))).toBe('poet_c');
    engine.clock.advance(3_000);
    await fail('poet_c');
    engine.clock.advance(3_000);
    await fail('poet_b');
    expect(await pickAgent(ports, poem('b'))).toBe('poet_a');
  });
});
