import { rm } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { mutants, type Mutant } from './mutants.ts';
import { copySources, type Judgement, runMutant, runTest } from './run-mutant.ts';

/**
 * Each mutant is one small fault in the source that a test must notice. First the tests that are to notice them have to pass on the
 * source as it is. `npm run mutants -- NAME…` runs some.
 */
async function main(names: string[]): Promise<number> {
  const chosen = names.length === 0 ? mutants : mutants.filter(({ name }) => names.includes(name));
  const folders = await Promise.all(Array.from({ length: Math.max(1, availableParallelism()) }, copySources));
  try {
    const tests = [...new Set(chosen.map(({ test }) => test))];
    const before = await inParallel(folders, tests, (folder, test) => runTest(folder, test));
    const red = tests.filter((_, index) => before[index]?.verdict !== 'survived');
    for (const test of red) console.log(`not green without any mutant: ${test}`);
    if (red.length > 0) return 1;
    const judged = await inParallel(folders, chosen, async (folder, mutant) => {
      const judgement = await runMutant(folder, mutant);
      console.log(lineOf(mutant, judgement));
      return judgement;
    });
    const alive = judged.filter(({ verdict }) => verdict !== 'killed').length;
    console.log(`${judged.length - alive} passed, ${alive} failed`);
    return alive === 0 ? 0 : 1;
  } finally {
    await Promise.all(folders.map((folder) => rm(folder, { recursive: true, force: true })));
  }
}

function lineOf({ name, test }: Mutant, { verdict, detail, ms }: Judgement): string {
  return `${verdict.padEnd(9)}${name.padEnd(44)}${test}\n         ${(ms / 1000).toFixed(1)} s  ${detail}`;
}

/** One worker to a folder; results in the order of the items. */
async function inParallel<T, R>(
  folders: string[],
  items: readonly T[],
  work: (folder: string, item: T) => Promise<R>,
): Promise<R[]> {
  const results: R[] = [];
  const queue = [...items.entries()];
  await Promise.all(
    folders.map(async (folder) => {
      for (let next = queue.shift(); next !== undefined; next = queue.shift())
        results[next[0]] = await work(folder, next[1]);
    }),
  );
  return results;
}

process.exitCode = await main(process.argv.slice(2));
