/** `2.1s`, `3m 05s`. */
export function duration(ms: number): string {
  const seconds = Math.max(0, ms) / 1000;
  if (seconds < 600) return `${seconds.toFixed(1)}s`;
  return `${Math.floor(seconds / 60)}m ${String(Math.floor(seconds % 60)).padStart(2, '0')}s`;
}

/** `$0.41`; more places where cents would say nothing. */
export function usd(microUsd: number): string {
  const digits = microUsd > 0 && microUsd < 10_000 ? 4 : 2;
  return `$${(microUsd / 1e6).toFixed(digits)}`;
}

export function count(n: number, one: string, many = `${one}s`): string {
  return `${n} ${n === 1 ? one : many}`;
}

/** `+38 −4`, without a part that is nothing. */
export function changedLines({ added, deleted }: { added: number; deleted: number }): string {
  return [...(added > 0 || deleted === 0 ? [`+${added}`] : []), ...(deleted > 0 ? [`−${deleted}`] : [])].join(
    ' ',
  );
}

/** `5 files +108 −6`. */
export function diffStat(stat: { files: number; added: number; deleted: number }): string {
  return `${count(stat.files, 'file')} ${changedLines(stat)}`;
}

// oxlint-disable-next-line no-control-regex -- they are what is taken out
const UNSAFE = /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]+/g;
// oxlint-disable-next-line no-control-regex -- as above, but tabs and line ends may stay
const UNSAFE_BUT_LINES = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g;

/** One line of text for a screen: no control characters (what a model wrote could move the cursor), at most `max` characters. */
export function oneLine(text: string, max: number): string {
  const line = text.replaceAll(UNSAFE, ' ').replaceAll(/ {2,}/g, ' ').trim();
  return line.length <= max ? line : `${line.slice(0, max - 1)}…`;
}

/** As {@link oneLine}, of text whose lines count. */
export function safeText(text: string): string {
  return text.replaceAll(UNSAFE_BUT_LINES, '');
}
