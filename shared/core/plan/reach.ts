import type { PlannedTask } from '../../messages/plan.ts';
import { levelsOf } from './levels.ts';

/** Who waits for whom, directly or not, by position in the plan. */
export interface Reach {
  /** Whether `from` waits for `to`. */
  has(from: number, to: number): boolean;
  /** For how many tasks it waits. */
  size(task: number): number;
  /** Lets `from`, and all that wait for it, wait for `to`. */
  add(from: number, to: number): void;
}

const BITS = 32;

/** One bit for every pair, so that a thousand tasks are compared in no time. `tasks` have no cycle. */
export function createReach(tasks: readonly Pick<PlannedTask, 'id' | 'dependencies'>[]): Reach {
  const words = Math.ceil(tasks.length / BITS);
  const rows = tasks.map(() => new Uint32Array(words));
  const sizes = tasks.map(() => 0);
  const rowOf = (task: number): Uint32Array => rows[task] ?? new Uint32Array(words);
  const has = (from: number, to: number): boolean =>
    ((rowOf(from)[to >>> 5] ?? 0) & (1 << (to & (BITS - 1)))) !== 0;

  function take(from: number, to: number): void {
    const [row, other] = [rowOf(from), rowOf(to)];
    let size = 0;
    for (let word = 0; word < words; word += 1) {
      const own = to >>> 5 === word ? 1 << (to & (BITS - 1)) : 0;
      const bits = (row[word] ?? 0) | (other[word] ?? 0) | own;
      row[word] = bits;
      size += countBits(bits);
    }
    sizes[from] = size;
  }

  const position = new Map(tasks.map(({ id }, index) => [id, index]));
  for (const id of levelsOf(tasks).keys()) {
    const index = position.get(id) ?? 0;
    for (const dependency of tasks[index]?.dependencies ?? []) take(index, position.get(dependency) ?? 0);
  }
  return {
    has,
    size: (task) => sizes[task] ?? 0,
    add(from, to) {
      take(from, to);
      for (let task = 0; task < tasks.length; task += 1) if (has(task, from)) take(task, from);
    },
  };
}

/** A copy of a plan that edges may be added to. */
export interface Edges {
  tasks: PlannedTask[];
  reach: Reach;
  /** Lets `later` wait for `earlier`, by position; what waits for it already gets no second edge. */
  add(later: number, earlier: number): void;
}

/** `tasks` have no cycle. */
export function openEdges(given: readonly PlannedTask[]): Edges {
  const tasks = given.map((task) => ({ ...task, dependencies: [...task.dependencies] }));
  const reach = createReach(tasks);
  return {
    tasks,
    reach,
    add(later, earlier) {
      if (reach.has(later, earlier)) return;
      reach.add(later, earlier);
      tasks[later]?.dependencies.push(tasks[earlier]?.id ?? '');
    },
  };
}

function countBits(word: number): number {
  let bits = word - ((word >>> 1) & 0x55555555);
  bits = (bits & 0x33333333) + ((bits >>> 2) & 0x33333333);
  return Math.imul((bits + (bits >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
}
