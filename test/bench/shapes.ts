import { mulberry32 } from '../support/generate-repository.ts';

/** A task of a submitted plan. Its agent's work is a no-op here, so which agent it is does not matter. */
export interface BenchTask {
  id: string;
  agent: 'technical_writer';
  instructions: string;
  dependencies: string[];
}

/** What is submitted together: one plan for each run. */
export interface Shape {
  name: string;
  plans: BenchTask[][];
}

export const DEFAULT_SHAPES = ['chain-50', 'fan-1x200x1', 'layered-10x20', 'many-runs-100'];
export const SHAPE_NAMES = 'chain-N, fan-N (or fan-1xNx1), layered-LAYERSxWIDTH, many-runs-N';

const SEED = 42;
/** Of the layer before. */
const LAYER_DEPENDENCIES = 3;

const makers: [RegExp, (size: number, width: number) => BenchTask[][]][] = [
  [/^chain-(\d+)$/, (length) => [chain(length)]],
  [/^fan-(\d+)$/, (width) => [fan(width)]],
  [/^fan-1x(\d+)x1$/, (width) => [fan(width)]],
  [/^layered-(\d+)x(\d+)$/, (layers, width) => [layered(layers, width)]],
  [/^many-runs-(\d+)$/, (runs) => Array.from({ length: runs }, diamond)],
];

/** `undefined`: there is no such shape. */
export function parseShape(name: string): Shape | undefined {
  for (const [pattern, make] of makers) {
    const found = pattern.exec(name);
    if (found !== null && Number(found[1]) > 0)
      return { name, plans: make(Number(found[1]), Number(found[2])) };
  }
  return undefined;
}

export function countTasks({ plans }: Shape): number {
  return plans.reduce((sum, plan) => sum + plan.length, 0);
}

/** a → b, c, d, e → f */
export function diamond(): BenchTask[] {
  return fanOf('a', ['b', 'c', 'd', 'e'], 'f');
}

function chain(length: number): BenchTask[] {
  return Array.from({ length }, (_, n) => task(`t${n}`, n === 0 ? [] : [`t${n - 1}`]));
}

function fan(width: number): BenchTask[] {
  return fanOf(
    'first',
    Array.from({ length: width }, (_, n) => `m${n}`),
    'last',
  );
}

function fanOf(first: string, middle: string[], last: string): BenchTask[] {
  return [task(first, []), ...middle.map((id) => task(id, [first])), task(last, middle)];
}

/** Each task waits for three random ones of the layer before; the same ones each time. */
function layered(layers: number, width: number): BenchTask[] {
  const random = mulberry32(SEED);
  return Array.from({ length: layers * width }, (_, n) => {
    const layer = Math.floor(n / width);
    const before = layer === 0 ? [] : Array.from({ length: width }, (_task, at) => `l${layer - 1}-${at}`);
    return task(`l${layer}-${n % width}`, draw(before, LAYER_DEPENDENCIES, random));
  });
}

/** So many of them, or all. */
function draw(from: string[], most: number, random: () => number): string[] {
  const left = [...from];
  return Array.from({ length: Math.min(most, left.length) }, () =>
    left.splice(Math.floor(random() * left.length), 1),
  ).flat();
}

function task(id: string, dependencies: string[]): BenchTask {
  return { id, agent: 'technical_writer', instructions: 'Nothing.', dependencies };
}
