import { formatTable } from '../format-table.ts';
import { benchCold, type ColdResult } from './bench-cold.ts';
import { HELP, readOptions } from './read-options.ts';

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => process.exit(130));

try {
  const options = readOptions(process.argv.slice(2));
  if (options === 'help') process.stdout.write(HELP);
  else {
    const results = await benchCold(options, progress);
    const [functions, bare] = [results.slice(0, -1), results.at(-1)];
    if (options.isJson) process.stdout.write(`${JSON.stringify(functions, null, 2)}\n`);
    else process.stdout.write(`${tableOf(bare === undefined ? functions : [...functions, bare])}\n`);
  }
} catch (error) {
  process.stderr.write(`bench:cold: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 2;
}

function tableOf(results: ColdResult[]): string {
  const rows = results.map(({ name, listenMs, ratioToBare, rssMb, firstMessageMs }) => [
    name,
    listenMs,
    ratioToBare,
    rssMb ?? '-',
    firstMessageMs ?? '-',
  ]);
  const reasons = [...new Set(results.flatMap(({ reason }) => reason ?? []))];
  const table = formatTable([['function', 'listen ms', '÷ bare', 'rss MB', 'first message ms'], ...rows]);
  return [table, ...reasons.map((reason) => `no first message: ${reason}`)].join('\n');
}

/** One line that the next one replaces, where somebody is looking. */
function progress(text: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\u001b[K${text} …\r`);
}
