/** How cases went. */
export interface Tally {
  passed: number;
  failed: number;
  skipped: number;
}

export function sumOf(tallies: readonly Tally[]): Tally {
  const total = (what: keyof Tally): number => tallies.reduce((sum, tally) => sum + tally[what], 0);
  return { passed: total('passed'), failed: total('failed'), skipped: total('skipped') };
}
