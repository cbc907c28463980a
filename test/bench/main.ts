import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { benchShape } from './bench-shape.ts';
import { describeMachine } from './describe-machine.ts';
import { benchDoors } from './doors.ts';
import { benchCloudShape } from './firestore/bench-cloud-shape.ts';
import { benchCloudRatio } from './firestore/cloud-ratio.ts';
import { describeCloud } from './firestore/describe-cloud.ts';
import { benchSkeletons } from './firestore/skeleton.ts';
import { removeAllGithubs } from './github-process.ts';
import { removeAllHosts } from './host-process.ts';
import { benchMemory } from './memory.ts';
import {
  doorTable,
  memoryTable,
  profileTable,
  ratioTable,
  shapeTable,
  skeletonTable,
} from './print-report.ts';
import { benchRatios, type RatioResult } from './ratio.ts';
import { type BenchedStore, type BenchOptions, HELP, readOptions } from './read-options.ts';
import type { BenchedShape } from './shape-result.ts';
import type { Shape } from './shapes.ts';

process.on('exit', () => {
  removeAllHosts();
  removeAllGithubs();
});
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => process.exit(130));

/** What the platform may stand on, and how it is measured there. */
const platforms: Record<BenchedStore, Platform> = {
  sqlite: { measure: benchOneProcess, ratios: benchRatios, describe: describeMachine },
  firestore: {
    measure: benchCloudShape,
    ratios: async () => [await benchCloudRatio()],
    describe: describeCloud,
  },
};

try {
  const options = readOptions(process.argv.slice(2));
  if (options === 'help') process.stdout.write(HELP);
  else await bench(options);
} catch (error) {
  process.stderr.write(`bench: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 2;
}

interface Platform {
  measure(
    shape: Shape,
    options: Pick<BenchOptions, 'runs' | 'isProfiled'>,
  ): Promise<BenchedShape & { profiles: string[] }>;
  ratios(): Promise<RatioResult[]>;
  describe(): Promise<string[]>;
}

async function benchOneProcess(
  shape: Shape,
  { runs, isProfiled }: Pick<BenchOptions, 'runs' | 'isProfiled'>,
): Promise<BenchedShape & { profiles: string[] }> {
  const profiles = isProfiled ? [join(tmpdir(), `penstock-bench-${shape.name}.cpuprofile`)] : [];
  const [profile] = profiles;
  return { ...(await benchShape(shape, { runs, ...(profile === undefined ? {} : { profile }) })), profiles };
}

/** Runs what was asked for, prints it, and sets the exit code. */
async function bench(options: BenchOptions): Promise<void> {
  const objects: object[] = [];
  const problems: string[] = [];
  const say = (text: string): void => {
    if (!options.isJson) process.stdout.write(`${text}\n`);
  };
  const platform = platforms[options.store];
  if (!options.isJson) say((await platform.describe()).join('\n'));

  const results = [];
  for (const shape of options.shapes) {
    progress(shape.name);
    const benched = await platform.measure(shape, options);
    results.push(benched.result);
    problems.push(...benched.problems);
    for (const profile of benched.profiles) say(`\n${profileTable(profile)}`);
  }
  objects.push(...results);
  if (results.length > 0) say(`\n${shapeTable(results, options.store)}`);

  if (options.doors) {
    progress('doors');
    const doors = await benchDoors();
    objects.push(...doors.results);
    problems.push(...doors.problems);
    say(`\n${doorTable(doors.results)}`);
  }
  if (options.ratio) {
    progress('ratios');
    const ratios = await platform.ratios();
    objects.push(...ratios);
    say(`\n${ratioTable(ratios)}`);
  }
  if (options.skeleton) {
    progress('skeletons');
    const skeletons = await benchSkeletons();
    objects.push(...skeletons);
    say(`\n${skeletonTable(skeletons)}`);
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
