import type { Ports } from '../../../shared/core/ports.ts';
import { PenstockError } from '../../../shared/ports/penstock-error.ts';
import type { Store } from '../../../shared/ports/store.ts';
import { POLICY, portsOfProcess } from '../engine.ts';
import { type Faults, faulty } from './faults.ts';
import { billedModel, emptyHost } from './outside.ts';
import { turns } from './turns.ts';
import type { World } from './world.ts';

/** One process of the platform, until it crashes: then none of its calls is ever answered, and what it did not write is gone. */
export interface Process {
  name: string;
  ports: Omit<Ports, 'work'>;
  isAlive: () => boolean;
  crash: () => void;
  /** What `work` comes to, or a failure when the process ends before. */
  outlive: <T>(work: Promise<T>) => Promise<T>;
}

/** Everything that calls a port goes through here: it takes its time, and may be the last thing its process does. */
export type Guard = <T>(call: () => Promise<T>) => Promise<T>;

export async function startProcess(
  world: World,
  faults: Faults,
  { name, jobs }: { name: string; jobs: Ports['jobs'] },
): Promise<Process> {
  let alive = true;
  const death = Promise.withResolvers<never>();
  death.promise.catch(() => undefined);
  const crash = () => {
    alive = false;
    world.trace.push(`${name} crashes`);
    death.reject(new PenstockError('unavailable', `${name} is gone`, { retry: 'later' }));
  };
  const guard: Guard = async (call) => {
    await turns(Math.floor(world.ids.fraction() * (world.given.jitter + 1)));
    if (!alive) return never();
    faults.calls += 1;
    const mayCrash = !world.isSettling && !world.given.isCalm;
    const fatal = mayCrash ? world.given.crashes.find(({ nth }) => nth === faults.calls) : undefined;
    if (fatal?.when === 'before') return (crash(), never());
    try {
      return await call();
    } finally {
      // Not once everything is to come to its end, however long the call took.
      if (fatal !== undefined && !world.isSettling) crash();
      if (!alive) await never();
    }
  };
  const ports = await portsOfProcess(
    {
      store: guardStore(world, faults, guard),
      queue: {
        publish: (topic, message, options) =>
          guard(() => faulty(world, faults, () => world.queue.publish(topic, message, options), 'message')),
        close: () => Promise.resolve(),
      },
      blobs: {
        ...world.blobs,
        put: (...given) => guard(() => faulty(world, faults, () => world.blobs.put(...given), 'other')),
        get: (key) => guard(() => world.blobs.get(key)),
      },
      clock: world.clock.core,
      ids: world.ids,
      model: billedModel(world, guard),
      jobs: {
        start: (job) => guard(() => jobs.start(job)),
        cancel: (job) => guard(() => jobs.cancel(job)),
        state: (job) => guard(() => jobs.state(job)),
      },
      codeHost: () => emptyHost,
      host: name,
    },
    POLICY,
  );
  return { name, ports, isAlive: () => alive, crash, outlive: (work) => Promise.race([work, death.promise]) };
}

function never(): Promise<never> {
  return new Promise(() => undefined);
}

function guardStore(world: World, faults: Faults, guard: Guard): Store {
  const { store } = world;
  return {
    ...store,
    get: (ref) => guard(() => store.get(ref)),
    getMany: (list) => guard(() => store.getMany(list)),
    query: (query) => guard(() => store.query(query)),
    count: (query) => guard(() => store.count(query)),
    sum: (query) => guard(() => store.sum(query)),
    create: (ref, data, options) =>
      guard(() => faulty(world, faults, () => store.create(ref, data, options), 'other')),
    commit: (writes) => guard(() => faulty(world, faults, () => store.commit(writes), writes)),
  };
}
