import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startEmulators } from '../emulators.ts';

/** The end-to-end suite on the cluster, on one pair of emulators; names of files select some of it. Arguments go to jest. */
const root = fileURLToPath(new URL('../../..', import.meta.url));
const emulators = await startEmulators();
const jest = join(root, 'node_modules/jest/bin/jest.js');
/** As long as a test waits for the end of its run there, so that it says itself where that stands. */
const TEST_TIMEOUT_MS = 20 * 60_000;
// One cluster alone keeps this machine busy.
const options = [
  `--roots=${join(root, 'test/end-to-end')}`,
  '--maxWorkers=1',
  `--testTimeout=${TEST_TIMEOUT_MS}`,
];
const child = spawn(
  process.execPath,
  [
    '--experimental-vm-modules',
    '--disable-warning=ExperimentalWarning',
    jest,
    ...options,
    ...process.argv.slice(2),
  ],
  {
    cwd: root,
    stdio: 'inherit',
    env: {
      ...process.env,
      NODE_OPTIONS: '--disable-warning=ExperimentalWarning',
      PENSTOCK_TEST_ON: 'cluster',
      PENSTOCK_TEST_EMULATORS: `${emulators.firestoreHost},${emulators.pubsubHost}`,
    },
  },
);
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => child.kill(signal));
const [code] = (await once(child, 'exit')) as [number | null];
await emulators.stop();
process.exitCode = code ?? 1;
