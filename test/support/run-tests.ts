import { spawn } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildDeployables } from '../../functions/build/build-deployables.ts';
import { buildFaultPrograms } from './faults/build-fault-programs.ts';
import { makeMemoryFolder } from './memory-folder.ts';

/** Runs every test that this machine allows and ends in one line alone: `N passed, N failed, N skipped`. Arguments go to jest. */
interface Summary {
  numPassedTests: number;
  numFailedTests: number;
  numPendingTests: number;
  numTodoTests: number;
  numRuntimeErrorTestSuites: number;
}

const YOUNG_SPACE = ['--min-semi-space-size=16', '--max-semi-space-size=16'];

const root = fileURLToPath(new URL('../..', import.meta.url));
const folder = makeMemoryFolder() ?? mkdtempSync(join(tmpdir(), 'penstock-tests-'));
// Tests that run as root do some things as nobody.
chmodSync(folder, 0o755);
const outputFile = join(folder, 'summary.json');

// In the project, because functions find the functions framework from where they lie.
const cache = join(root, 'node_modules/.cache');
mkdirSync(cache, { recursive: true });
const built = mkdtempSync(join(cache, 'penstock-tests-'));
await buildDeployables(root, built);
await buildFaultPrograms(root, built);

const jest = join(root, 'node_modules/jest/bin/jest.js');
// Much of a test's time is waiting for processes it started, so one worker more than there are cores.
const workers = availableParallelism() + 1;
const options = ['--json', `--outputFile=${outputFile}`, `--maxWorkers=${workers}`, ...process.argv.slice(2)];
// Workers get these too. Room for young objects from the start: a file's modules are read without collecting them again and again.
const flags = ['--experimental-vm-modules', '--disable-warning=ExperimentalWarning', ...YOUNG_SPACE];
const child = spawn(process.execPath, [...flags, jest, ...options], {
  cwd: root,
  // jest's report goes to stderr; its JSON on stdout is already in the file.
  stdio: ['ignore', 'ignore', 'inherit'],
  env: {
    ...process.env,
    METADATA_SERVER_DETECTION: 'none',
    TMPDIR: folder,
    PENSTOCK_TEST_BUILT: built,
    NODE_OPTIONS: '--disable-warning=ExperimentalWarning',
  },
});

// Ctrl-C ends jest; what was built for it is removed then.
process.on('SIGINT', () => undefined);
child.once('exit', (code) => {
  try {
    const summary = JSON.parse(readFileSync(outputFile, 'utf8')) as Summary;
    const failed = summary.numFailedTests + summary.numRuntimeErrorTestSuites;
    const skipped = summary.numPendingTests + summary.numTodoTests;
    process.stdout.write(`${summary.numPassedTests} passed, ${failed} failed, ${skipped} skipped\n`);
    process.exitCode = failed > 0 ? 1 : (code ?? 1);
  } catch (error) {
    process.stderr.write(`jest left no summary: ${String(error)}\n`);
    process.exitCode = 1;
  } finally {
    for (const made of [folder, built]) rmSync(made, { recursive: true, force: true });
  }
});
