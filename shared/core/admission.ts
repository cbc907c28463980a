import type { Versioned, Where } from '../ports/store.ts';
import { pickAgent } from './agent-registry/pick-agent.ts';
import { change } from './change.ts';
import type { Apart, Trouble } from './create-apart.ts';
import { dispatchTask } from './dispatch-task.ts';
import { appendHistory } from './history.ts';
import { BOOST_MS } from './plan/plan-tasks.ts';
import type { Ports } from './ports.ts';
import type { Pool, Settings } from './settings.ts';
import { type Task, taskPath, UNDER_WAY } from './task.ts';

type AdmissionPorts = Pick<
  Ports,
  'store' | 'queue' | 'clock' | 'settings' | 'memory' | 'circuits' | 'agents' | 'trace'
>;

const HELD_STATES: Where = { field: 'state', op: 'in', value: UNDER_WAY };
/** Waiting for capacity and for nothing else. */
const WAITING: Where[] = [
  { field: 'state', op: '==', value: 'ready' },
  { field: 'held', op: '==', value: false },
  { field: 'notBefore', op: '==', value: 0 },
];
const POOLS: readonly Pool[] = ['core', 'specialist', 'assessment'];

/**
 * Claims a task for the agent that is to do it when its circuits are closed and its pool and tenant have room; otherwise leaves it `ready`, waiting for
 * either, and answers `undefined`. Pool limits are soft by the number of processes that admit at the same moment.
 */
export async function whenAdmitted<T>(
  ports: AdmissionPorts,
  found: Versioned<Task>,
  claim: (task: Versioned<Task>, agent: string) => Promise<T>,
): Promise<T | undefined> {
  ports.memory.offered.delete(taskPath(found.data));
  const agent = await pickAgent(ports, found.data);
  const gate = await ports.circuits.gate({ ...found.data, agent });
  if (gate.open) {
    await postpone(ports, found, gate.until);
    return undefined;
  }
  const entered = await enter(ports, found.data, () => claim(found, agent));
  if (entered !== 'full') return entered.claim;
  const waiting = await waitForRoom(ports, found);
  if (waiting === undefined) return undefined;
  // Somebody may have ended, and found nobody waiting, before this was written.
  const again = await enter(ports, waiting.data, () => claim(waiting, agent));
  return again === 'full' ? undefined : again.claim;
}

/** A claim under way counts at once, also before the records show it: one process never overfills a pool by itself. */
async function enter<T>(
  ports: AdmissionPorts,
  { tenant, pool }: Task,
  claim: () => Promise<T>,
): Promise<'full' | { claim: T }> {
  const settings = await ports.settings(tenant);
  return counted(ports.memory.claiming, `${tenant}/${pool}`, async (claiming) => {
    if (!(await hasRoom(ports, settings, { tenant, pool, claiming }))) return 'full';
    return { claim: await claim() };
  });
}

async function hasRoom(
  ports: AdmissionPorts,
  settings: Settings,
  { tenant, pool, claiming }: { tenant: string; pool: Pool; claiming: number },
): Promise<boolean> {
  const { max } = settings.pools[pool];
  const running = await countHeld(ports, { tenant, pool, upTo: max });
  if (running + claiming >= max) return false;
  if (settings.maxRunningTasks === undefined) return true;
  return (await roomInQuota(ports, settings, { tenant, pool, running })) > claiming;
}

/** What the quota leaves this pool, after what runs and what is reserved for the others. */
async function roomInQuota(
  ports: AdmissionPorts,
  settings: Settings,
  { tenant, pool, running }: { tenant: string; pool: Pool; running: number },
): Promise<number> {
  const quota = settings.maxRunningTasks ?? Infinity;
  const others = POOLS.filter((other) => other !== pool);
  const taken = await Promise.all(
    others.map(async (other) =>
      Math.max(settings.pools[other].min, await countHeld(ports, { tenant, pool: other, upTo: quota })),
    ),
  );
  return quota - running - taken.reduce((sum, count) => sum + count, 0);
}

function countHeld(
  ports: AdmissionPorts,
  { tenant, pool, upTo }: { tenant: string; pool: Pool; upTo: number },
): Promise<number> {
  const where: Where[] = [
    { field: 'tenant', op: '==', value: tenant },
    { field: 'pool', op: '==', value: pool },
    HELD_STATES,
  ];
  return ports.store.count({ from: { group: 'tasks' }, where, upTo });
}

/** `ready` with the rank it waits with: the longer ago it became ready and the more urgent its run, the lower (000-02). `undefined`: it already waited, or is not to begin any more. */
async function waitForRoom(
  ports: AdmissionPorts,
  found: Versioned<Task>,
): Promise<Versioned<Task> | undefined> {
  const generation = found.data.attempts.length;
  const now = ports.clock.now();
  const { data, version, changed } = await change(
    ports.store,
    found.ref,
    (task) => {
      const waits = task.state === 'ready' && task.notBefore === 0;
      const mayWait = task.state === 'pending' || task.state === 'ready';
      if (waits || !mayWait || task.held || task.attempts.length !== generation) return undefined;
      const ready = asReady(task, now, `waits for room in pool ${task.pool}`);
      return { data: { ...ready, rank: now - BOOST_MS[task.priority], notBefore: 0 } };
    },
    found,
  );
  return changed ? { ref: found.ref, data, version } : undefined;
}

/** An open circuit delays a task without an attempt; the sweep asks again when it is due. */
async function postpone(ports: AdmissionPorts, found: Versioned<Task>, until: number): Promise<void> {
  const now = ports.clock.now();
  await change(
    ports.store,
    found.ref,
    (task) => {
      const waits = task.state === 'pending' || task.state === 'ready';
      if (!waits || task.notBefore >= until) return undefined;
      return { data: { ...asReady(task, now, 'its circuit is open'), notBefore: until } };
    },
    found,
  );
}

/** The history tells the first wait only, or a long one would fill it. */
function asReady(task: Task, at: number, note: string): Task {
  if (task.state === 'ready') return { ...task, updatedAt: at };
  const history = appendHistory(task.history, { at, state: 'ready', by: 'admission', note });
  return { ...task, state: 'ready', updatedAt: at, history };
}

/** How long room that was offered to a task is not offered to it again: its dispatch is on the way. */
const OFFER_MS = 200;
/** Offers on the way that are looked past. */
const MAX_OFFERED = 100;

/** An attempt has ended and left room in its pool, or in its tenant's quota: the best of those that wait for it is dispatched. */
export async function admitNext(
  ports: Pick<Ports, 'store' | 'queue' | 'settings' | 'clock' | 'memory' | 'trace'>,
  { tenant, pool }: Pick<Task, 'tenant' | 'pool'>,
): Promise<void> {
  const { maxRunningTasks } = await ports.settings(tenant);
  const pools = maxRunningTasks === undefined ? [pool] : POOLS;
  for (const each of pools) await offerRoom(ports, tenant, each);
}

async function offerRoom(
  ports: Pick<Ports, 'store' | 'queue' | 'clock' | 'memory' | 'trace'>,
  tenant: string,
  pool: Pool,
): Promise<void> {
  const { offered, looking } = ports.memory;
  const now = ports.clock.now();
  for (const [name, at] of offered) if (now - at > OFFER_MS) offered.delete(name);
  const next = await counted(looking, `${tenant}/${pool}`, async (before) => {
    const limit = Math.min(1 + before + offered.size, MAX_OFFERED);
    const waiting = await waitingIn(ports, { tenant, pool, limit });
    const found = waiting.find((task) => !offered.has(taskPath(task)));
    if (found !== undefined) offered.set(taskPath(found), now);
    return found;
  });
  if (next !== undefined) await dispatchTask(ports, next);
}

/** Does some work that the others under `key` are to know of while it is done; it is told how many were there before. */
async function counted<T>(
  underWay: Map<string, number>,
  key: string,
  work: (before: number) => Promise<T>,
): Promise<T> {
  const before = underWay.get(key) ?? 0;
  underWay.set(key, before + 1);
  try {
    return await work(before);
  } finally {
    underWay.set(key, (underWay.get(key) ?? 1) - 1);
  }
}

async function waitingIn(
  ports: Pick<Ports, 'store'>,
  { tenant, pool, limit }: { tenant: string; pool: Pool; limit: number },
): Promise<Task[]> {
  const page = await ports.store.query<Task>({
    from: { group: 'tasks' },
    where: [
      { field: 'tenant', op: '==', value: tenant },
      { field: 'pool', op: '==', value: pool },
      ...WAITING,
    ],
    orderBy: { field: 'rank' },
    limit,
  });
  return page.documents.map(({ data }) => data);
}

/**
 * For the sweep: as many of those that wait, best first, as there is room for. Answers how many it dispatched. Every tenant that has
 * anything waiting is looked at by every sweep: it goes from the first waiting task of one tenant to the first of the next, so
 * however many wait for a full pool, they are one document to read and keep nobody from the room of another. Bounded by the number
 * of such tenants, not by what they have waiting.
 */
export async function admitWaiting(ports: AdmissionPorts, limit: number, apart: Apart): Promise<number> {
  let dispatched = 0;
  let tenant = await tenantAfter(ports, '');
  while (tenant !== undefined) {
    for (const pool of POOLS) {
      const place = { tenant, pool, limit };
      dispatched += (await apart.run(troubleOf(place), () => admitInto(ports, place))) ?? 0;
    }
    tenant = await tenantAfter(ports, tenant);
  }
  return dispatched;
}

/** Tenants stand in the order of their ids. */
async function tenantAfter({ store }: Pick<Ports, 'store'>, tenant: string): Promise<string | undefined> {
  const { documents } = await store.query<Task>({
    from: { group: 'tasks' },
    where: [...WAITING, { field: 'tenant', op: '>', value: tenant }],
    orderBy: { field: 'tenant' },
    limit: 1,
  });
  return documents[0]?.data.tenant;
}

async function admitInto(
  ports: AdmissionPorts,
  { tenant, pool, limit }: { tenant: string; pool: Pool; limit: number },
): Promise<number> {
  const { max } = (await ports.settings(tenant)).pools[pool];
  const room = Math.min(limit, max - (await countHeld(ports, { tenant, pool, upTo: max })));
  if (room <= 0) return 0;
  const best = await waitingIn(ports, { tenant, pool, limit: room });
  for (const task of best) await dispatchTask(ports, task);
  return best.length;
}

function troubleOf({ tenant, pool }: { tenant: string; pool: Pool }): Trouble {
  return {
    of: { tenant, pool },
    what: `tasks that wait for room in pool ${pool} of tenant ${tenant} were not offered it`,
    next: 'look at the settings of the tenant if the next sweeps say so too',
  };
}
