import { mulberry32 } from '../generate-repository.ts';
import type { CrashPoint, RecordedCall } from './crash-point.ts';

/** A call of a recorded run by its number there, and the point that it stands for. */
export interface Sample {
  /** From 1, over all calls of all processes. */
  n: number;
  point: CrashPoint;
}

/** Random but the same for the same seed: at least one call of each port, the others spread evenly over the whole run. */
export function samplePoints(calls: readonly RecordedCall[], count: number, seed: number): Sample[] {
  const random = mulberry32(seed);
  const below = (limit: number): number => Math.floor(random() * limit);
  const all = calls.map((call, index): Sample => ({
    n: index + 1,
    point: { ...call, when: random() < 0.5 ? 'before' : 'after' },
  }));
  const ports = [...Map.groupBy(all, ({ point }) => portOf(point)).values()];
  const chosen = new Set(ports.flatMap((group) => group[below(group.length)] ?? []).slice(0, count));
  const rest = count - chosen.size;
  for (let slice = 0; slice < rest; slice += 1) {
    const from = Math.floor((slice * all.length) / rest);
    const to = Math.floor(((slice + 1) * all.length) / rest);
    const free = all.slice(from, to).filter((sample) => !chosen.has(sample));
    const pick = free[below(free.length)];
    if (pick !== undefined) chosen.add(pick);
  }
  return [...chosen].toSorted((a, b) => a.n - b.n);
}

/** Both sides of every call. */
export function allPoints(calls: readonly RecordedCall[]): Sample[] {
  return calls.flatMap((call, index) =>
    (['before', 'after'] as const).map((when) => ({ n: index + 1, point: { ...call, when } })),
  );
}

/** The port that a call belongs to; requests over HTTP and programs count as one each, for host and jobs. */
function portOf({ process, call }: RecordedCall): string {
  const who = process.split(' ')[0] ?? '';
  return `${who} ${/^[A-Z]+ \//.test(call) ? 'http' : (call.split(/[. ]/)[0] ?? '')}`;
}
