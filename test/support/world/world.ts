import { openSqliteDatabase, type SqliteDatabase } from '../../../shared/adapters/local/sqlite-database.ts';
import { createSqliteQueue, type SqliteQueue } from '../../../shared/adapters/local/sqlite-queue.ts';
import { createSqliteStore } from '../../../shared/adapters/local/sqlite-store.ts';
import { refs } from '../../../shared/core/refs.ts';
import { type Topic, topics } from '../../../shared/messages/topics.ts';
import type { Blobs } from '../../../shared/ports/blobs.ts';
import type { Delivery } from '../../../shared/ports/queue.ts';
import type { Store } from '../../../shared/ports/store.ts';
import { INDEXES } from '../../../shared/runtime/local.ts';
import { createSeededIds, silent, TENANT } from '../engine.ts';
import { createMemoryBlobs } from './memory-blobs.ts';
import type { Scenario } from './scenario.ts';
import { createWitness, type Witness } from './witness.ts';
import { createWorldClock, type WorldClock } from './world-clock.ts';

/** A delivery that the queue waits for. */
export interface Arrival {
  topic: Topic;
  delivery: Delivery;
  acknowledge: () => void;
  refuse: (error: unknown) => void;
}

/** What is outside every process of one scenario: the shipped store and queue, time, and what came of it all. */
export interface World {
  given: Scenario;
  clock: WorldClock;
  ids: ReturnType<typeof createSeededIds>;
  store: Store;
  queue: SqliteQueue;
  blobs: Blobs;
  witness: Witness;
  /** Delivered by the queue and not answered yet, oldest first. */
  arrivals: Arrival[];
  /** Every delivery so far, once per message. */
  delivered: Map<string, { topic: Topic; delivery: Delivery }>;
  /** How many there are at a time; in a calm world one, as several do not know whom the others offer a place. */
  processes: number;
  /** What is under way. */
  actors: Set<Promise<void>>;
  /** Happenings so far. */
  happened: number;
  /** Nothing goes wrong any more. */
  isSettling: boolean;
  /** `task/generation` of every attempt that a worker has begun. */
  begun: string[];
  /** What the model has served, at its price. */
  billedMicroUsd: number;
  /** Whether somebody was told that the run is cancelled, or that it is paused, and nobody asked to go on since. */
  isCancelled: boolean;
  isPaused: boolean;
  /** How often somebody has asked to go on, and has not been answered. */
  resumes: number;
  resuming: number;
  breaches: string[];
  trace: string[];
  breach: (promise: string, what: string) => void;
  close: () => Promise<void>;
}

/** Long enough for what happens between two sweeps, short enough that a long worker is delivered twice. */
const ACK_DEADLINE_MS = 120_000;
/** All that may arrive is in the scenario's hands. */
const CONCURRENCY = 200;
/** As the hosts subscribe. */
const MAX_DELIVERIES = 20;

export async function openWorld(given: Scenario): Promise<World> {
  const database = emptyDatabase();
  const clock = createWorldClock();
  const breaches = new Set<string>();
  const trace: string[] = [];
  const processes = given.isCalm ? 1 : given.processes;
  const breach = (promise: string, what: string) => {
    breaches.add(`${promise}: ${what}`);
    trace.push(`! ${promise}: ${what}`);
  };
  const witness = createWitness({
    poolMax: given.poolMax,
    standsStill: () => (world.isCancelled ? 'a cancel' : world.isPaused ? 'a pause' : undefined),
    now: () => clock.core.now(),
    recovers: processes === 1,
    dispatchers: processes,
    breach,
    trace: (line) => trace.push(line),
  });
  const plain = createSqliteStore({ database, indexes: INDEXES });
  const queue = createSqliteQueue({
    database,
    clock: clock.outside,
    log: silent,
    concurrency: CONCURRENCY,
    ackDeadlineMs: ACK_DEADLINE_MS,
  });
  const world: World = {
    given,
    clock,
    ids: createSeededIds(given.seed),
    store: witness.watch(plain),
    queue,
    blobs: createMemoryBlobs(),
    witness,
    arrivals: [],
    delivered: new Map(),
    processes,
    actors: new Set(),
    happened: 0,
    isSettling: false,
    begun: [],
    billedMicroUsd: 0,
    isCancelled: false,
    isPaused: false,
    resumes: 0,
    resuming: 0,
    get breaches() {
      return [...breaches];
    },
    trace,
    breach,
    close: async () => {
      for (const { acknowledge } of world.arrivals.splice(0)) acknowledge();
      await queue.close();
      await plain.close();
    },
  };
  subscribe(world);
  await storeSettings(world);
  queue.start();
  return world;
}

/** One database per process: a schema costs more than most cases. */
let opened: SqliteDatabase | undefined;

function emptyDatabase(): SqliteDatabase {
  if (opened === undefined) {
    opened = openSqliteDatabase({ file: ':memory:', synchronous: 'normal' });
    return opened;
  }
  const tables = opened
    .prepare("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")
    .all();
  const names = tables.flatMap((row) => Object.values(row)).map(String);
  opened.exec(names.map((name) => `DELETE FROM "${name}";`).join(' '));
  return opened;
}

function subscribe(world: World): void {
  for (const topic of Object.keys(topics) as Topic[]) {
    world.queue.subscribe({
      topic,
      subscription: `to-${topic}`,
      maxDeliveries: MAX_DELIVERIES,
      ...(topic === 'dead-letter' ? {} : { deadLetterTopic: 'dead-letter' }),
      receive: (delivery) =>
        new Promise((acknowledge, refuse) => {
          world.delivered.set(`${topic} ${JSON.stringify(delivery.message)}`, { topic, delivery });
          world.arrivals.push({ topic, delivery, acknowledge, refuse });
        }),
    });
  }
}

async function storeSettings(world: World): Promise<void> {
  const pool = { max: world.given.poolMax };
  await world.store.create(refs.settings(TENANT), {
    v: 1,
    pools: { core: pool, specialist: pool, assessment: pool },
    onBudget: world.given.onBudget,
    // Half an hour: what nobody answers is answered while the world settles.
    decisionReminderHours: 0.2,
    decisionDeadlineHours: 0.5,
    autoApproveUsd: 1_000,
  });
}
