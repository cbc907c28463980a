import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { benchShape } from './bench-shape.ts';
import { describeMachine } from './describe-machine.ts';
import { benchDoors } from './doors.ts';
import { removeAllGithubs } from './github-process.ts';
import { removeAllHosts } from './host-process.ts';
import { benchMemory } from './memory.ts';
import { doorTable, memoryTable, profileTable, ratioTable, shapeTable } from './print-report.ts';
import { benchRatios } from './ratio.ts';
import { type BenchOptions, HELP, readOptions } from './read-options.ts';

process.on('exit', () => {
  removeAllHosts();
  removeAllGithubs();
});
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => process.exit(130));

try {
  const options = readOptions(process.argv.slice(2));
  if (options === 'help') process.stdout.write(HELP);
  else await bench(options);
} catch (error) {
  process.stderr.write(`bench: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 2;
}

/** Runs what was asked for, prints it, and sets the exit code. */
async function bench(options: BenchOptions): Promise<void> {
  const objects: object[] = [];
  const problems: string[] = [];
  const say = (text: string): void => {
    if (!options.isJson) process.stdout.write(`${text}\n`);
  };
  if (!options.isJson) say((await describeMachine()).join('\n'));

  const results = [];
  for (const shape of options.shapes) {
    progress(shape.name);
    const profile = options.isProfiled
      ? join(tmpdir(), `penstock-bench-${shape.name}.cpuprofile`)
      : undefined;
    const benched = await benchShape(shape, {
      runs: options.runs,
      ...(profile === undefined ? {} : { profile }),
    });
    results.push(benched.result);
    problems.push(...benched.problems);
    if (profile !== undefined) say(`\n${profileTable(profile)}`);
  }
  objects.push(...results);
  if (results.length > 0) say(`\n${shapeTable(results)}`);

  if (options.doors) {
    progress('doors');
    const doors = await benchDoors();
    objects.push(...doors.results);
    problems.push(...doors.problems);
    say(`\n${doorTable(doors.results)}`);
  }
  if (options.ratio) {
    progress('ratios');
    const ratios = await benchRatios();
    objects.push(...ratios);
    say(`\n${ratioTable(ratios)}`);
  }
  if (options.memory) {
    progress('memory');
    const memory = await benchMemory();
    objects.push(memory);
    say(`\n${memoryTable(memory)}`);
  }

  if (options.isJson) process.stdout.write(`${JSON.stringify(objects, null, 2)}\n`);
  for (const problem of problems) process.stderr.write(`${problem}\n`);
  if (problems.length > 0) process.exitCode = 1;
}

/** One line that the next one replaces, where somebody is looking. */
function progress(name: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\u001b[K${name} …\r`);
}
