/** Steps that one process remembers having done. */
const MAX_STEPS = 2_000;

/**
 * What one process knows beyond the records. It saves messages, reads and waiting, and decides nothing: a process that has
 * just started knows none of it, and two processes know different things.
 */
export interface ProcessMemory {
  /**
   * Does a step that several tasks may find due at the same moment (a join, the end of a run) for the first that asks;
   * the others wait for that one and leave it at that. The same asker again (a redelivery) does it again, and so does anybody after it
   * threw or answered `false`: nothing was done.
   */
  once(step: string, asker: string, work: () => Promise<boolean>): Promise<void>;
  /** Claims that are under way here, by pool: the records do not show them yet. */
  readonly claiming: Map<string, number>;
  /** Waiting tasks that were offered room here and have not come to their claim, with when: the next room is for another. */
  readonly offered: Map<string, number>;
  /** Looks for somebody to offer room to that are under way here, by pool: each leaves the best ones to those before it. */
  readonly looking: Map<string, number>;
  /** Agents that were picked here a moment ago, by task, with when: the records do not show these attempts yet. */
  readonly picked: Map<string, { agent: string; at: number }>;
}

export function createProcessMemory(): ProcessMemory {
  const done = new Map<string, { asker: string; outcome: Promise<boolean> }>();
  const begin = (step: string, asker: string, work: () => Promise<boolean>): Promise<boolean> => {
    const outcome = work();
    const entry = { asker, outcome };
    const forget = () => {
      if (done.get(step) === entry) done.delete(step);
    };
    outcome.then((wasDone) => (wasDone ? undefined : forget()), forget);
    if (done.size >= MAX_STEPS) done.delete(done.keys().next().value ?? '');
    done.set(step, entry);
    return outcome;
  };
  return {
    claiming: new Map(),
    offered: new Map(),
    looking: new Map(),
    picked: new Map(),
    async once(step, asker, work) {
      const known = done.get(step);
      if (known === undefined || known.asker === asker) await begin(step, asker, work);
      else if (!(await known.outcome.catch(() => false))) await begin(step, asker, work);
    },
  };
}
