import { spawn } from 'node:child_process';
import { cp, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Mutant } from './mutants.ts';

/** What the test of a mutant did. `broken`: it could not even be run, which proves nothing. */
export type Verdict = 'killed' | 'survived' | 'broken';

export interface Judgement {
  verdict: Verdict;
  /** First failed test, or why it could not be run. */
  detail: string;
  ms: number;
}

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const SOURCES = [
  'functions',
  'shared',
  'terraform',
  'test',
  'workflows',
  'package.json',
  'jest.config.js',
  'tsconfig.json',
];
const TEST_TIMEOUT_MS = 180_000;
/** Of one test: what a mutant makes wait for ever is red, and in time for the tests after it. */
const ONE_TEST_MS = 30_000;

/** A copy of the sources that a mutant may change; modules are those of the original. */
export async function copySources(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'penstock-mutants-'));
  for (const name of SOURCES) await cp(join(ROOT, name), join(folder, name), { recursive: true });
  await symlink(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
  return folder;
}

/** The source with the mutant in it. Throws where its text does not stand exactly once: the list has drifted. */
export function mutate(source: string, { file, search, replace }: Mutant): string {
  const found = source.split(search).length - 1;
  if (found === 1) return source.replace(search, () => replace);
  throw new Error(`${file} has the text of this mutant ${found} times, not once: ${search}`);
}

/** Runs one test file on the changed copy, and puts the file back. */
export async function runMutant(folder: string, mutant: Mutant): Promise<Judgement> {
  const file = join(folder, mutant.file);
  const source = await readFile(file, 'utf8');
  await writeFile(file, mutate(source, mutant));
  try {
    return await runTest(folder, mutant.test);
  } finally {
    await writeFile(file, source);
  }
}

/** Without any change; `survived` is what it has to be. */
export async function runTest(folder: string, test: string): Promise<Judgement> {
  const output = join(folder, `result-${process.pid}.json`);
  const startedAt = Date.now();
  await rm(output, { force: true });
  await runJest(folder, [
    '--ci',
    '--silent',
    '-i',
    `--testTimeout=${ONE_TEST_MS}`,
    '--json',
    `--outputFile=${output}`,
    '--runTestsByPath',
    test,
  ]);
  const ms = Date.now() - startedAt;
  const text = await readFile(output, 'utf8').catch(() => undefined);
  if (text === undefined) return { verdict: 'broken', detail: `no result within ${TEST_TIMEOUT_MS} ms`, ms };
  return { ...judge(JSON.parse(text) as JestResult), ms };
}

interface JestResult {
  numFailedTests: number;
  numPassedTests: number;
  testResults: { message: string; assertionResults: { status: string; fullName: string }[] }[];
}

function judge(result: JestResult): Omit<Judgement, 'ms'> {
  const failed = result.testResults
    .flatMap(({ assertionResults }) => assertionResults)
    .find(({ status }) => status === 'failed');
  if (failed !== undefined) return { verdict: 'killed', detail: failed.fullName };
  if (result.numPassedTests > 0)
    return { verdict: 'survived', detail: `${result.numPassedTests} tests passed` };
  return { verdict: 'broken', detail: result.testResults[0]?.message.split('\n')[0] ?? 'no test was run' };
}

function runJest(cwd: string, args: string[]): Promise<void> {
  return new Promise((resolve) => {
    const child = spawn(
      process.execPath,
      ['--experimental-vm-modules', 'node_modules/jest/bin/jest.js', ...args],
      {
        cwd,
        stdio: 'ignore',
        timeout: TEST_TIMEOUT_MS,
        killSignal: 'SIGKILL',
        env: { ...process.env, NODE_NO_WARNINGS: '1' },
      },
    );
    child.on('error', () => resolve());
    child.on('exit', () => resolve());
  });
}
