import type { DeadLetter } from '../../../shared/core/dead-letter.ts';
import type { Decision } from '../../../shared/core/decisions/decision.ts';
import type { Run } from '../../../shared/core/run.ts';
import type { Task } from '../../../shared/core/task.ts';
import type { CommitResult, Store, Versioned, Write } from '../../../shared/ports/store.ts';
import { type Breach, judgeBudget, judgeEntries, judgeStages, judgeTask } from './judge-step.ts';

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
  breach: Breach;
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
