/** `$2.00` of micro-dollars; more places where cents would say nothing. */
export function usd(microUsd: number): string {
  return `$${(microUsd / 1e6).toFixed(microUsd % 10_000 === 0 ? 2 : 4)}`;
}
