import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { openSqliteDatabase } from '../../../shared/adapters/local/sqlite-database.ts';
import { createSqliteStore } from '../../../shared/adapters/local/sqlite-store.ts';
import type { Store } from '../../../shared/ports/store.ts';
import { INDEXES } from '../../../shared/runtime/local.ts';
import { freePorts } from '../cluster/free-ports.ts';
import { faultProgram } from './fault-programs.ts';
import { type HostProcess, startHostProcess } from './host-process.ts';
import { endJobs, jobTexts } from './job-groups.ts';
import { leases, type System, type SystemOptions } from './system.ts';

const IDLE_TIMEOUT_MS = 10_000;

/** `penstock up` in a process of its own, started again when it dies. */
export async function startLocalSystem(options: SystemOptions): Promise<System> {
  const { folder, env, modelUrl, isBlind, patience } = options;
  const [port = 0] = await freePorts(1);
  const start = (): HostProcess =>
    startHostProcess(
      {
        ...env,
        ...leases(12 * patience),
        PORT: String(port),
        LOG_LEVEL: 'INFO',
        PENSTOCK_DATA: folder,
        PENSTOCK_SWEEP_SECONDS: '0.3',
        PENSTOCK_TEST_MODEL: modelUrl,
        PENSTOCK_TEST_BLIND: isBlind ? '1' : '0',
        PENSTOCK_TEST_JOB: faultProgram('job'),
        NODE_COMPILE_CACHE: fileURLToPath(new URL('../../../node_modules/.cache/penstock', import.meta.url)),
      },
      join(folder, 'host.log'),
    );
  let host = start();
  const records = recordsOf(join(folder, 'penstock.db'));
  await host.ready;
  return {
    url: `http://127.0.0.1:${port}`,
    revive: async () => {
      if (host.hasExited()) host = start();
      await host.ready;
    },
    isIdle: () => host.idle(IDLE_TIMEOUT_MS),
    breakDown: () => Promise.reject(new Error('local mode stands on no emulator')),
    sweeps: () => sizeOf(join(folder, 'sweeps')),
    records: () => records.open(),
    stragglers: () => jobTexts(folder),
    stop: async () => {
      await host.stop();
      endJobs(folder);
      await records.close();
    },
  };
}

/** One more connection to the platform's own file, once there is one. */
function recordsOf(file: string): { open(): Store | undefined; close(): Promise<void> } {
  let opened: { store: Store; close(): Promise<void> } | undefined;
  return {
    open: () => {
      if (opened === undefined && existsSync(file)) {
        const database = openSqliteDatabase({ file });
        const store = createSqliteStore({ database, indexes: INDEXES });
        const close = async () => {
          await store.close();
          database.close();
        };
        opened = { store, close };
      }
      return opened?.store;
    },
    close: async () => opened?.close(),
  };
}

const sizeOf = (file: string): number => (existsSync(file) ? statSync(file).size : 0);
