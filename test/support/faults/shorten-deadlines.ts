/** Calls of a model may take this long here: their real deadline is longer than a schedule. */
const MODEL_DEADLINE_MS = 12_000;
const LONG_MS = 5 * 60_000;

/** Whoever waits minutes for an answer waits seconds in this process; shorter deadlines stay as they are. */
export function shortenDeadlines(): void {
  const real = AbortSignal.timeout.bind(AbortSignal);
  AbortSignal.timeout = (ms) => real(ms >= LONG_MS ? MODEL_DEADLINE_MS : ms);
}
