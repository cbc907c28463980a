import { startHostProcess } from './host-process.ts';
import { median } from './percentile.ts';
import { rounded } from './shape-result.ts';
import { countTasks, parseShape, type Shape } from './shapes.ts';
import { createSubmitter, limitsFor } from './submit-shape.ts';

/** How the time of a task grows with the size of its run, as `--json` prints it. */
export interface RatioResult {
  ratio: string;
  /** Median of the rounds. */
  smallPerTaskMs: number;
  largePerTaskMs: number;
  /** Large ÷ small. */
  value: number;
  goal: number;
}

const PAIRS = [
  ['chain-50', 'chain-400'],
  ['fan-100', 'fan-800'],
] as const;
const ROUNDS = 9;
const GOAL = 1.3;

/** All four shapes in one process, one after the other and again, so that whatever else the machine does meets each of them. */
export async function benchRatios(): Promise<RatioResult[]> {
  const shapes = new Map(PAIRS.flat().map((name) => [name, shapeOf(name)]));
  const host = await startHostProcess({ env: limitsFor([...shapes.values()]) });
  const submitter = createSubmitter(host);
  const perTaskMs = new Map(PAIRS.flat().map((name) => [name, [] as number[]]));
  try {
    for (let round = 0; round <= ROUNDS; round += 1) {
      for (const [name, shape] of shapes) {
        const { wallMs } = await submitter.submit(shape);
        // The first round warms up.
        if (round > 0) perTaskMs.get(name)?.push(wallMs / countTasks(shape));
      }
    }
  } finally {
    submitter.close();
    host.remove();
  }
  return PAIRS.map(([small, large]) => {
    const [smallMs, largeMs] = [small, large].map((name) => median(perTaskMs.get(name as 'chain-50') ?? []));
    return ratioOf(`${large} ÷ ${small}`, smallMs ?? 0, largeMs ?? 0);
  });
}

export function ratioOf(ratio: string, smallMs: number, largeMs: number): RatioResult {
  return {
    ratio,
    smallPerTaskMs: rounded(smallMs),
    largePerTaskMs: rounded(largeMs),
    value: rounded(largeMs / smallMs),
    goal: GOAL,
  };
}

export function shapeOf(name: string): Shape {
  const shape = parseShape(name);
  if (shape === undefined) throw new Error(`there is no shape ${name}`);
  return shape;
}
