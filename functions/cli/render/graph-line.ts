/** More of them in one step are counted, not named. */
const MAX_NAMES = 4;
const MAX_STEPS = 10;

/** `design → api ∥ storage → tests`: tasks by how many others must end before them; `∥`: at the same time. */
export function graphLine(tasks: readonly { id: string; dependencies: readonly string[] }[]): string {
  const steps = stepsOf(tasks).map((ids) => {
    const more = ids.length - MAX_NAMES;
    return more > 0 ? `${ids.slice(0, MAX_NAMES).join(' ∥ ')} ∥ ${more} more` : ids.join(' ∥ ');
  });
  if (steps.length <= MAX_STEPS) return steps.join(' → ');
  return [...steps.slice(0, MAX_STEPS - 1), `${steps.length - MAX_STEPS + 1} more steps`].join(' → ');
}

/** Step 0 waits for nothing, step n for at least one of step n−1. What stands in a cycle, which no stored plan has, is left out. */
function stepsOf(tasks: readonly { id: string; dependencies: readonly string[] }[]): string[][] {
  const known = new Set(tasks.map(({ id }) => id));
  const placed = new Set<string>();
  const steps: string[][] = [];
  for (;;) {
    const next = tasks.filter(
      ({ id, dependencies }) =>
        !placed.has(id) && dependencies.every((on) => placed.has(on) || !known.has(on)),
    );
    if (next.length === 0) return steps;
    for (const { id } of next) placed.add(id);
    steps.push(next.map(({ id }) => id));
  }
}
