import { recount } from './recount-records.ts';

/** `node test/bench/recount.ts DATA_FOLDER`: judges what a platform has stored, in a process that has nothing to do with it. */
const [dataFolder] = process.argv.slice(2);
if (dataFolder === undefined) {
  process.stderr.write('usage: node test/bench/recount.ts DATA_FOLDER\n');
  process.exitCode = 2;
} else {
  const result = recount(dataFolder);
  process.stdout.write(`${JSON.stringify(result)}\n`);
  if (result.problems.length > 0) process.exitCode = 1;
}
