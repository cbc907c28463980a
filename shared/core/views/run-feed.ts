import type { RunEvent } from '../../messages/run-view.ts';
import { PenstockError } from '../../ports/penstock-error.ts';
import type { DocumentRef, Store, Versioned } from '../../ports/store.ts';
import type { HistoryEntry } from '../history.ts';
import { refs } from '../refs.ts';
import { isTerminal, type Run, type Stage } from '../run.ts';
import { readTasks } from '../run-tasks.ts';
import type { Task } from '../task.ts';
import { isoTime } from './iso-time.ts';

/**
 * The order in which a run's history entries were first seen: `order` names a record per entry, and each record's
 * entries come in their own order, so this is all it takes.
 *
 * Times cannot give that order: clocks of two processes differ and a commit may take long, so an entry with an older
 * time can appear after a newer one was already told, and would push every number behind it up by one. Instead the
 * first reader that sees an entry numbers it, by compare-and-set; nobody numbers it again. Only readers write this
 * document, the engine never does, and losing it costs nothing but the numbers.
 */
export interface FeedOrder {
  v: 1;
  /** `''` is the run, the others are tasks; places in it are what `order` holds. */
  records: string[];
  /** Two base-36 digits per entry: 200 tasks with full histories stay below the limit of a document. */
  order: string;
}

const DIGITS = 2;
/** Readers of one run at the same moment are few. */
const MAX_TRIES = 8;

export function feedRef(tenant: string, run: string): DocumentRef<FeedOrder> {
  return { collection: `tenants/${tenant}/runs/${run}/feed`, id: 'order' };
}

export interface RunFeed {
  run: Run;
  /** In order of `seq`, from 1. */
  events: RunEvent[];
  /** Tasks that may still change. */
  liveTasks: string[];
  /** Whether nothing will come after them. */
  isComplete: boolean;
}

/** Everything that has happened to a run so far, numbered for good. `undefined`: there is no such run. */
export async function readFeed(store: Store, tenant: string, id: string): Promise<RunFeed | undefined> {
  for (let tries = 0; tries < MAX_TRIES; tries += 1) {
    // The run before its tasks: when it has ended, their ends are already there to be read.
    const run = (await store.get(refs.run(tenant, id)))?.data;
    if (run === undefined) return undefined;
    const tasks = await readTasks(store, tenant, id);
    const known = await store.get(feedRef(tenant, id));
    const order = extendOrder(known?.data, run, tasks);
    if (order === known?.data || (await keep(store, feedRef(tenant, id), order, known))) {
      const liveTasks = tasks.filter((task) => task.live).map((task) => task.id);
      return { run, events: eventsOf(run, tasks, order), liveTasks, isComplete: isTerminal(run.stage) };
    }
  }
  throw new PenstockError('conflict', `the events of run ${id} are being numbered by others; ask again`, {
    retry: 'later',
  });
}

async function keep(
  store: Store,
  ref: DocumentRef<FeedOrder>,
  data: FeedOrder,
  known: Versioned<FeedOrder> | undefined,
): Promise<boolean> {
  if (known === undefined) return (await store.create(ref, data)) === 'created';
  const { outcome } = await store.commit([{ op: 'set', ref, data, ifVersion: known.version }]);
  return outcome === 'committed';
}

/** The order with every entry in it; the same object when there was none to add. New ones come by time, the run's end last. */
export function extendOrder(known: FeedOrder | undefined, run: Run, tasks: readonly Task[]): FeedOrder {
  const order = known ?? { v: 1 as const, records: [''], order: '' };
  const seen = countSeen(order);
  const fresh = recordsOf(run, tasks).flatMap(({ record, history }) =>
    history.slice(seen.get(record) ?? 0).map((entry) => ({ record, entry, isLast: isRunEnd(record, entry) })),
  );
  if (fresh.length === 0) return order;
  const sorted = fresh.toSorted(
    (a, b) => Number(a.isLast) - Number(b.isLast) || a.entry.at - b.entry.at || rank(a.record, b.record),
  );
  const records = [...order.records];
  const places = sorted.map(({ record }) => {
    if (!records.includes(record)) records.push(record);
    return records.indexOf(record).toString(36).padStart(DIGITS, '0');
  });
  return { v: 1, records, order: order.order + places.join('') };
}

/** The events of an order, without those that were added to the records' histories after it. */
export function eventsOf(run: Run, tasks: readonly Task[], order: FeedOrder): RunEvent[] {
  const histories = new Map(recordsOf(run, tasks).map(({ record, history }) => [record, history]));
  const next = new Map<string, number>();
  return placesOf(order).map((record, index) => {
    const at = next.get(record) ?? 0;
    next.set(record, at + 1);
    const entry = histories.get(record)?.[at];
    if (entry === undefined) {
      throw new PenstockError('internal', `run ${run.id} lost entry ${at} of the history of '${record}'`);
    }
    return eventOf(run, record, entry, index + 1);
  });
}

function eventOf(run: Run, record: string, { at, state, by, note }: HistoryEntry, seq: number): RunEvent {
  return {
    v: 1,
    seq,
    type: record === '' ? runEventType(state, by) : taskEventType(state, by),
    at: isoTime(at),
    run: run.id,
    ...(record === '' ? {} : { task: record }),
    state,
    by,
    ...(note === undefined ? {} : { note }),
  };
}

function runEventType(state: string, by: string): RunEvent['type'] {
  if (state === 'accepted') return 'requirement_submitted';
  if (by === 'decision') return 'decision_needed';
  return isTerminal(state as Stage) ? 'run_finished' : 'status_update';
}

/** A task is blocked by its attempt first; a person is needed when the decision has been asked, whose entry names it. */
function taskEventType(state: string, by: string): RunEvent['type'] {
  if (state === 'blocked' && by === 'decision') return 'decision_needed';
  const hasEnded =
    state === 'succeeded' || state === 'failed' || state === 'cancelled' || state === 'skipped';
  return hasEnded ? 'task_completed' : 'status_update';
}

function isRunEnd(record: string, entry: HistoryEntry): boolean {
  return record === '' && isTerminal(entry.state as Stage);
}

/** At the same moment: the run, then its tasks by name. */
function rank(a: string, b: string): number {
  return a.localeCompare(b);
}

function recordsOf(run: Run, tasks: readonly Task[]): { record: string; history: readonly HistoryEntry[] }[] {
  return [{ record: '', history: run.history }, ...tasks.map(({ id, history }) => ({ record: id, history }))];
}

function placesOf({ records, order }: FeedOrder): string[] {
  const places = order.match(/../g) ?? [];
  return places.map((place) => records[Number.parseInt(place, 36)] ?? '');
}

function countSeen(order: FeedOrder): Map<string, number> {
  const seen = new Map<string, number>();
  for (const record of placesOf(order)) seen.set(record, (seen.get(record) ?? 0) + 1);
  return seen;
}
