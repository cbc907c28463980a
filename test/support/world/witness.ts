import { canAdvance } from '../../../shared/core/advance-run.ts';
import type { DeadLetter } from '../../../shared/core/dead-letter.ts';
import type { Decision } from '../../../shared/core/decisions/decision.ts';
import { appendHistory, type HistoryEntry } from '../../../shared/core/history.ts';
import { isTerminal, type Run, type Stage } from '../../../shared/core/run.ts';
import type { Task } from '../../../shared/core/task.ts';
import type { CommitResult, Store, Versioned, Write } from '../../../shared/ports/store.ts';

type Pool = Task['pool'];

export interface WitnessOptions {
  poolMax: number;
  /** After what no attempt is to begin, where that is so. */
  standsStill: () => string | undefined;
  now: () => number;
  /** Whether a process that starts takes back what its predecessor held, without waiting for leases. */
  recovers: boolean;
  /** Processes that may admit at the same moment; one alone never overfills a pool. */
  dispatchers: number;
  /** A broken promise, by the name of the promise. */
  breach: (promise: string, what: string) => void;
  trace: (line: string) => void;
}

/** Sees every write that the store has applied, in order, and judges each step of every run and task. */
export interface Witness {
  /** The store as it is, seen. */
  watch(store: Store): Store;
  run(): Run | undefined;
  tasks(): Task[];
  task(id: string): Task | undefined;
  /** The record at a path, as it was last written. */
  record(path: string): Versioned<object> | undefined;
  openDecisions(): Decision[];
  letters(): DeadLetter[];
  /** From now on, every write that changes a record is a breach of this promise. */
  settle(promise: string): void;
}

export function createWitness(options: WitnessOptions): Witness {
  const { breach, trace } = options;
  const records = new Map<string, Versioned<object>>();
  const tasks = new Map<string, Task>();
  let settled: string | undefined;
  let run: Run | undefined;

  function seen(write: Write, version: string): void {
    const { ref } = write;
    const path = `${ref.collection}/${ref.id}`;
    if (write.op === 'delete') return void records.delete(path);
    const before = records.get(path);
    if (write.op === 'set') judgeSwap(path, write.ifVersion, before);
    if (settled !== undefined && JSON.stringify(before?.data) !== JSON.stringify(write.data))
      breach(settled, `${path} changed`);
    records.set(path, { ref, data: write.data, version });
    const group = ref.collection.slice(ref.collection.lastIndexOf('/') + 1);
    if (group === 'deadLetters') seenLetter(write.data as DeadLetter);
    if (group === 'tasks') seenTask(before?.data as Task | undefined, write.data as Task);
    if (group === 'runs') seenRun(before?.data as Run | undefined, write.data as Run);
  }

  function seenLetter({ kind, error }: DeadLetter): void {
    if (kind === 'message') breach('no message is given up', error);
  }

  function judgeSwap(
    path: string,
    ifVersion: string | undefined,
    before: Versioned<object> | undefined,
  ): void {
    const isSwap = ifVersion !== undefined && ifVersion === before?.version;
    if (before !== undefined && !isSwap)
      breach('every change is a compare-and-set', `${path} was overwritten`);
  }

  function seenTask(before: Task | undefined, task: Task): void {
    const exits = task.attempts.map(({ exit }) => exit?.code ?? exit?.outcome ?? 'open');
    trace(`  ${task.id} ${task.state} ${exits.join(',')}`);
    tasks.set(task.id, task);
    if (before !== undefined) judgeTask(before, task, breach);
    if (before !== undefined && !options.recovers) judgeTakeBack(before, task);
    const isNew = task.attempts.length > (before?.attempts.length ?? 0);
    const after = options.standsStill();
    if (isNew && after !== undefined)
      breach(`nothing begins after ${after}`, `${task.id}/${task.attempts.length}`);
    judgePool(task.pool);
    if (run !== undefined) judgeBudget(run, [...tasks.values()], breach);
  }

  function judgeTakeBack(before: Task, task: Task): void {
    const attempt = task.attempts[before.attempts.length - 1];
    const isLost = attempt?.exit?.outcome === 'lost' && before.attempts.at(-1)?.exit === undefined;
    if (isLost && before.leaseUntil >= options.now())
      breach('only what is overdue is taken back', `${task.id}/${attempt.generation}`);
  }

  function judgePool(pool: Pool): void {
    const held = [...tasks.values()].filter(
      (task) => task.pool === pool && (task.state === 'running' || task.state === 'starting'),
    );
    if (held.length > options.poolMax + options.dispatchers - 1)
      breach(
        'a pool holds no more than its maximum and the other dispatchers',
        held.map(({ id }) => id).join(', '),
      );
  }

  function seenRun(before: Run | undefined, next: Run): void {
    if (next.history.length !== before?.history.length)
      trace(`  run ${next.stage}${next.reason === undefined ? '' : ` (${next.reason.message})`}`);
    run = next;
    judgeEntries(`run ${next.id}`, before, { history: next.history, state: next.stage }, breach);
    if (before !== undefined) judgeStages(before, next, breach);
  }

  function recordsIn<T extends object>(group: string): T[] {
    return [...records.values()]
      .filter(({ ref }) => ref.collection.endsWith(`/${group}`))
      .map(({ data }) => data as T);
  }

  async function witnessed(store: Store, writes: Write[]): Promise<CommitResult> {
    const result = await store.commit(writes);
    if (result.outcome === 'committed') writes.forEach((write, at) => seen(write, result.versions[at] ?? ''));
    return result;
  }

  return {
    watch: (store) => ({
      ...store,
      create: async (ref, data, given) => {
        const { outcome } = await witnessed(store, [{ op: 'create', ref, data, ...given }]);
        return outcome === 'committed' ? 'created' : 'exists';
      },
      commit: (writes) => witnessed(store, writes),
    }),
    run: () => run,
    tasks: () => [...tasks.values()].toSorted((a, b) => (a.id < b.id ? -1 : 1)),
    task: (id) => tasks.get(id),
    record: (path) => records.get(path),
    openDecisions: () => recordsIn<Decision>('decisions').filter(({ state }) => state === 'open'),
    letters: () => recordsIn<DeadLetter>('deadLetters'),
    settle: (promise) => void (settled = promise),
  };
}

type Breach = WitnessOptions['breach'];

/** Entries are only ever added, each chained to the one before, and the last one tells the state. */
function judgeEntries(
  name: string,
  before: { history: HistoryEntry[] } | undefined,
  { history, state }: { history: HistoryEntry[]; state: string },
  breach: Breach,
): void {
  const known = before?.history ?? [];
  let chain = known;
  const isKept = known.every(({ hash }, at) => history[at]?.hash === hash);
  if (isKept) for (const entry of history.slice(known.length)) chain = appendHistory(chain, entry);
  if (!isKept || chain.at(-1)?.hash !== history.at(-1)?.hash)
    breach('history is only added to', `${name}: ${history.map((entry) => entry.state).join(' ')}`);
  if (history.at(-1)?.state !== state)
    breach(
      'state equals the fold of history',
      `${name} is ${state}, its history tells ${history.at(-1)?.state}`,
    );
}

function judgeTask(before: Task, task: Task, breach: Breach): void {
  // A start for which there was no room is undone as if it had never been.
  const isReturned = before.state === 'starting' && task.state === 'ready';
  judgeEntries(`task ${task.id}`, isReturned ? undefined : before, task, breach);
  if (!before.live && outcomeOf(before) !== outcomeOf(task))
    breach('a task ends once', `${task.id}: ${outcomeOf(before)} became ${outcomeOf(task)}`);
  for (const [at, attempt] of before.attempts.entries()) {
    const now = task.attempts[at];
    const isGone = now === undefined && !(isReturned && attempt.claimHash === undefined);
    if (isGone) breach('attempts are numbered without gap', `${task.id}/${attempt.generation} is gone`);
    if (attempt.exit !== undefined && JSON.stringify(attempt) !== JSON.stringify(now))
      breach('a stale generation changes nothing', `${task.id}/${attempt.generation} changed after its end`);
    const isTaken = attempt.claimHash !== undefined && now?.claimHash !== attempt.claimHash;
    if (isTaken) breach('a generation is claimed once', `${task.id}/${attempt.generation} was claimed again`);
  }
  if (task.attempts.some(({ generation }, at) => generation !== at + 1))
    breach(
      'attempts are numbered without gap',
      `${task.id}: ${task.attempts.map((each) => each.generation).join(', ')}`,
    );
}

function outcomeOf({ state, live, settled, result, attempts }: Task): string {
  return JSON.stringify({ state, live, settled, result, attempts });
}

function judgeStages(before: Run, run: Run, breach: Breach): void {
  if (isTerminal(before.stage) && JSON.stringify(before.history) !== JSON.stringify(run.history))
    breach('a run has one terminal entry', `run ${run.id} was ${before.stage} and became ${run.stage}`);
  let from = before.stage;
  for (const { state } of run.history.slice(before.history.length)) {
    const to = state as Stage;
    if (to !== from && !canAdvance(from, to)) breach('stages follow their machine', `${from} became ${to}`);
    from = to;
  }
}

function judgeBudget(run: Run, tasks: Task[], breach: Breach): void {
  const meters = tasks.flatMap(({ attempts }) => attempts.map(({ meter }) => meter));
  const bound = meters.reduce((sum, meter) => sum + meter.spentMicroUsd + meter.reservedMicroUsd, 0);
  if (bound > run.budget.limitMicroUsd)
    breach('spend never passes the budget', `${bound} of ${run.budget.limitMicroUsd} are bound`);
}
