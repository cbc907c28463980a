import type { Ports, Worker } from '../../../shared/core/ports.ts';
import { recoverHost } from '../../../shared/core/recover-host.ts';
import { isTransient, PenstockError } from '../../../shared/ports/penstock-error.ts';
import { receive } from '../engine.ts';
import type { Faults } from './faults.ts';
import { type Process, startProcess } from './process.ts';
import { turn } from './turns.ts';
import type { Arrival, World } from './world.ts';

/** The processes of a world: any of them may do anything, at the same time. */
export interface Cluster {
  world: World;
  /** Something that goes on by itself, in one process; a passing failure of it is nobody's problem. */
  begin: (what: string, action: (process: Process) => Promise<unknown>) => void;
  /** Hands the delivery over, and answers the queue with what came of it. */
  handle: (arrival: Arrival) => void;
  /** One call of the platform by somebody outside it. */
  call: <T>(action: (ports: Omit<Ports, 'work'>) => Promise<T>) => Promise<T>;
  crash: () => Promise<void>;
  /** Until nothing is under way and the queue has nothing that is due. While the world settles, what arrives is handled. */
  quiet: () => Promise<void>;
}

/** The queue needs a few turns from a publish to the delivery. */
const CALM_TURNS = 8;
const MAX_TURNS = 20_000;

/** What its processes do their work with. */
export interface Hands {
  jobs: (cluster: Cluster) => Ports['jobs'];
  work: (cluster: Cluster) => Worker;
}

export async function startCluster(world: World, { jobs, work }: Hands): Promise<Cluster> {
  const faults: Faults = { calls: 0, writes: 0, messages: 0 };
  const processes: Process[] = [];
  /** By place: whoever finds its process dead waits for the same new one. */
  const starting = new Map<number, Promise<void>>();
  let started = 0;

  async function start(at: number): Promise<void> {
    started += 1;
    processes[at] = await startProcess(world, faults, { name: `p${started}`, jobs: jobs(cluster) });
  }

  /** A process that ended is there again at once; alone in the world, it takes back what its predecessor held. */
  async function anyProcess(): Promise<Process> {
    const at = Math.floor(world.ids.fraction() * processes.length);
    const process = processes[at];
    if (process?.isAlive() === true) return process;
    if (!starting.has(at)) starting.set(at, restart(at));
    await starting.get(at);
    return anyProcess();
  }

  async function restart(at: number): Promise<void> {
    await start(at);
    starting.delete(at);
    if (processes.length === 1) cluster.begin('recover', ({ ports }) => recoverHost(whole(ports)));
  }

  async function act(what: string, action: (process: Process) => Promise<unknown>): Promise<void> {
    const process = await anyProcess();
    try {
      await process.outlive(action(process));
    } catch (error) {
      if (!isTransient(error)) world.breach('nothing fails for good', `${what}: ${String(error)}`);
    }
  }

  const cluster: Cluster = {
    world,
    begin(what, action) {
      world.trace.push(what);
      const actor = act(what, action).finally(() => world.actors.delete(actor));
      world.actors.add(actor);
    },
    handle(arrival) {
      const { topic, delivery } = arrival;
      const { task = '', generation = '' } = delivery.message as { task?: string; generation?: number };
      cluster.begin(`${topic} ${task} ${generation} handled`, async (process) => {
        const ports = { ...process.ports, work: work(cluster) };
        try {
          await process.outlive(receive(ports, topic, delivery));
          arrival.acknowledge();
        } catch (error) {
          arrival.refuse(error);
        }
      });
    },
    async call(action) {
      const process = await anyProcess();
      return process.outlive(action(process.ports));
    },
    async crash() {
      (await anyProcess()).crash();
    },
    async quiet() {
      for (let calm = 0, count = 0; calm < CALM_TURNS; count += 1) {
        await turn();
        if (world.isSettling) for (const arrival of world.arrivals.splice(0)) cluster.handle(arrival);
        calm = world.actors.size === 0 ? calm + 1 : 0;
        if (count > MAX_TURNS)
          return world.breach('everything comes to an end', 'something goes on for ever');
      }
    },
  };
  for (let at = 0; at < world.processes; at += 1) await start(at);
  return cluster;
}

/** For what calls no worker. */
export function whole(ports: Omit<Ports, 'work'>): Ports {
  return {
    ...ports,
    work: () => Promise.reject(new PenstockError('internal', 'only a delivery has a worker')),
  };
}
