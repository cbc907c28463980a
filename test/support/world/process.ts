import type { Ports } from '../../../shared/core/ports.ts';
import type { CodeHost } from '../../../shared/ports/code-host.ts';
import type { Model } from '../../../shared/ports/model.ts';
import { PenstockError } from '../../../shared/ports/penstock-error.ts';
import type { Store, Write } from '../../../shared/ports/store.ts';
import { priceOf } from '../../../shared/core/models/price.ts';
import { modelById } from '../../../shared/core/models/model-table.ts';
import { POLICY, portsOfProcess } from '../engine.ts';
import { createSpendingModel } from '../spending-model.ts';
import type { Scenario } from './scenario.ts';
import type { World } from './world.ts';
import { turns } from './turns.ts';

/** One process of the platform, until it crashes: then none of its calls is ever answered, and what it did not write is gone. */
export interface Process {
  name: string;
  ports: Omit<Ports, 'work'>;
  isAlive: () => boolean;
  crash: () => void;
  /** What `work` comes to, or a failure when the process ends before. */
  outlive: <T>(work: Promise<T>) => Promise<T>;
}

/** In a calm world a fault is that of one in so many messages. */
const CALM_MESSAGES = 12;

/** Everything that calls a port goes through here: it takes its time, and may be the last thing its process does. */
type Guard = <T>(call: () => Promise<T>) => Promise<T>;

export interface Faults {
  /** Calls, writes and messages among them, of all processes so far. */
  calls: number;
  writes: number;
  messages: number;
}

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
      if (fatal !== undefined) crash();
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
    create: (ref, data, options) =>
      guard(() => faulty(world, faults, () => store.create(ref, data, options), 'other')),
    commit: (writes) => guard(() => faulty(world, faults, () => store.commit(writes), writes)),
  };
}

/** The nth write goes as the scenario says; in a calm world only the sending of messages fails. */
async function faulty<T>(
  world: World,
  faults: Faults,
  write: () => Promise<T>,
  what: Write[] | 'message' | 'other',
): Promise<T> {
  faults.writes += 1;
  if (what === 'message') faults.messages += 1;
  const kind = world.isSettling ? undefined : faultOf(world.given, faults, what === 'message');
  if (kind === undefined) return write();
  const nth = faults.writes;
  world.trace.push(`write ${nth} is ${kind}`);
  const lost = new PenstockError('unavailable', `no answer to write ${nth}`, { retry: 'later' });
  if (kind === 'unapplied') throw lost;
  if (kind === 'raced' && typeof what !== 'string') await race(world, what);
  const result = await write();
  if (kind === 'applied') throw lost;
  return result;
}

function faultOf(
  { isCalm, writeFaults }: Scenario,
  { writes, messages }: Faults,
  isMessage: boolean,
): Scenario['writeFaults'][number]['kind'] | undefined {
  const found = writeFaults.find(({ nth }) => nth === writes)?.kind;
  if (!isCalm) return found;
  const failed = writeFaults.find(({ nth }) => isMessage && nth % CALM_MESSAGES === messages % CALM_MESSAGES);
  return failed === undefined && found !== 'raced' ? undefined : (failed?.kind ?? found);
}

/** Somebody else writes the same record first, with nothing changed but its version. */
async function race({ store, witness }: World, writes: Write[]): Promise<void> {
  const swap = writes.find((write) => write.op === 'set' && write.ifVersion !== undefined);
  const known = swap && witness.record(`${swap.ref.collection}/${swap.ref.id}`);
  if (known === undefined) return;
  await store.commit([{ op: 'set', ref: known.ref, data: known.data, ifVersion: known.version }]);
}

/** Serves a call for all or half of what was set aside, or refuses it, or breaks off; what is served is billed at once. */
function billedModel(world: World, guard: Guard): Model {
  const model = createSpendingModel();
  return {
    ...model,
    answer: (request) =>
      guard(async () => {
        const luck = world.given.isCalm ? 0.5 : world.ids.fraction();
        if (luck < 0.02) throw new PenstockError('rate_limited', 'too many calls', { retry: 'later' });
        const answer = await model.answer(request);
        const output = Math.ceil(answer.usage.output * (luck < 0.5 ? 1 : luck));
        const usage = { ...answer.usage, output };
        world.billedMicroUsd += priceOf(usage, modelById(request.model));
        if (luck > 0.98)
          throw new PenstockError('unavailable', 'broken off', { retry: 'later', mayHaveCounted: true });
        return { ...answer, usage };
      }),
  };
}

const refused = (): Promise<never> =>
  Promise.reject(new PenstockError('invalid', 'this world has an empty repository and nothing else'));

const emptyHost: CodeHost = {
  host: 'local-git',
  hasPullRequests: false,
  defaultBranch: () => Promise.resolve('main'),
  readBranch: () => Promise.resolve('a'.repeat(40)),
  readCommit: () => Promise.resolve({ sha: 'a'.repeat(40), parents: [], message: 'first' }),
  readTree: () => Promise.resolve({ entries: [], truncated: false }),
  readFile: () => Promise.resolve(undefined),
  permission: () => Promise.resolve('write'),
  readThread: () => Promise.resolve(undefined),
  diff: () => Promise.resolve(''),
  cloneAccess: ({ repository }) => Promise.resolve({ url: repository }),
  writeCommit: refused,
  createBranch: refused,
  advanceBranch: refused,
  findPullRequest: refused,
  createPullRequest: refused,
  updatePullRequest: refused,
  markReady: refused,
  findComment: refused,
  createComment: refused,
  updateComment: refused,
  findCheckRun: refused,
  createCheckRun: refused,
  updateCheckRun: refused,
};
