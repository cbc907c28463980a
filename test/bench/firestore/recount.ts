import { recountRecords } from '../recount-records.ts';
import { type CloudPlace, openCloudRecords } from './cloud-records.ts';

/** `node test/bench/firestore/recount.ts PLACE` (JSON): judges what a cluster has stored, in a process that has nothing to do with it. */
const [place] = process.argv.slice(2);
if (place === undefined) {
  process.stderr.write('usage: node test/bench/firestore/recount.ts PLACE\n');
  process.exitCode = 2;
} else {
  const records = openCloudRecords(JSON.parse(place) as CloudPlace);
  const result = recountRecords(await records.load());
  await records.close();
  process.stdout.write(`${JSON.stringify(result)}\n`);
  if (result.problems.length > 0) process.exitCode = 1;
}
