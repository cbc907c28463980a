/** Things to do at a time, earliest first; those of one time in the order in which they came. */
export interface TimerQueue {
  /** Returns what takes it out again. */
  add(dueMs: number, work: () => void): () => void;
  /** When the earliest is due. */
  next(): number | undefined;
  /** Takes out the earliest, if it is due. */
  take(nowMs: number): (() => void) | undefined;
}

interface Timer {
  readonly due: number;
  readonly order: number;
  work: (() => void) | undefined;
}

/** A binary heap. A timer that is cancelled stays as an empty place until it is due, or until those are most of the heap. */
export function createTimerQueue(): TimerQueue {
  let heap: Timer[] = [];
  let order = 0;
  let cancelled = 0;

  function up(from: number): void {
    for (let at = from; at > 0;) {
      const above = (at - 1) >> 1;
      if (!swapIfBefore(at, above)) return;
      at = above;
    }
  }

  function down(): void {
    for (let at = 0; ;) {
      const left = 2 * at + 1;
      if (left >= heap.length) return;
      const right = left + 1;
      const below = right < heap.length && isBefore(right, left) ? right : left;
      if (!swapIfBefore(below, at)) return;
      at = below;
    }
  }

  function isBefore(a: number, b: number): boolean {
    const [one, other] = [heap[a] as Timer, heap[b] as Timer];
    return one.due === other.due ? one.order < other.order : one.due < other.due;
  }

  function swapIfBefore(a: number, b: number): boolean {
    if (!isBefore(a, b)) return false;
    const kept = heap[a] as Timer;
    heap[a] = heap[b] as Timer;
    heap[b] = kept;
    return true;
  }

  function pop(): Timer | undefined {
    const [first] = heap;
    const last = heap.pop();
    if (first === undefined || last === undefined || first === last) return first;
    heap[0] = last;
    down();
    return first;
  }

  function dropCancelled(): void {
    while (heap[0] !== undefined && heap[0].work === undefined) {
      pop();
      cancelled -= 1;
    }
    if (cancelled < 64 || cancelled * 2 < heap.length) return;
    // Sorted is a heap too.
    heap = heap
      .filter(({ work }) => work !== undefined)
      .toSorted((a, b) => a.due - b.due || a.order - b.order);
    cancelled = 0;
  }

  return {
    add(due, work) {
      const timer: Timer = { due, order, work };
      order += 1;
      heap.push(timer);
      up(heap.length - 1);
      return () => {
        if (timer.work === undefined) return;
        timer.work = undefined;
        cancelled += 1;
        dropCancelled();
      };
    },
    next() {
      dropCancelled();
      return heap[0]?.due;
    },
    take(now) {
      dropCancelled();
      const [first] = heap;
      if (first === undefined || first.due > now) return undefined;
      pop();
      const { work } = first;
      // What was done cannot be cancelled any more.
      first.work = undefined;
      return work;
    },
  };
}
