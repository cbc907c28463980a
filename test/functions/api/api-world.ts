import type { Hono } from 'hono';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { api } from '../../../functions/api/api.ts';
import { createPinoLog } from '../../../shared/adapters/local/pino-log.ts';
import type { Caller } from '../../../shared/ports/identity.ts';
import { readConfig } from '../../../shared/runtime/config.ts';
import { createLocalRuntime, type LocalRuntime } from '../../../shared/runtime/local.ts';
import { withFirestoreIndexes } from '../../support/firestore-planner.ts';

export interface ApiWorld {
  runtime: LocalRuntime;
  app: Hono;
  /** Reads JSON of a route that answers 200. */
  read<T>(path: string): Promise<T>;
  close(): Promise<void>;
}

const BASE_URL = 'http://localhost';

/** The API over a real store and real blobs in a folder of their own. Nothing is delivered: a test moves its runs itself. */
export async function openApiWorld(
  options: { tenant?: string; simulated?: boolean; caller?: Caller } = {},
): Promise<ApiWorld> {
  const folder = mkdtempSync(join(tmpdir(), 'penstock-api-'));
  const config = readConfig({ PENSTOCK_DATA: folder, PENSTOCK_TENANT: options.tenant ?? 'local' });
  const { caller, simulated = true } = options;
  const access = {
    provider: simulated ? 'script' : 'anthropic',
    baseUrl: 'http://127.0.0.1:9',
    apiKey: 'none',
  } as const;
  const log = createPinoLog({ level: 'SILENT' });
  const local = await createLocalRuntime({
    config,
    baseUrl: BASE_URL,
    model: access,
    log,
    decorate: (ports) => ({ ...ports, store: withFirestoreIndexes(ports.store) }),
  });
  const identity =
    caller === undefined
      ? local.identity
      : { mode: 'oidc' as const, authenticate: () => Promise.resolve(caller) };
  const runtime = { ...local, identity };
  const app = api.app(runtime);
  return {
    runtime,
    app,
    async read<T>(path: string): Promise<T> {
      const answer = await app.request(path);
      if (answer.status !== 200) throw new Error(`${path} answered ${answer.status}: ${await answer.text()}`);
      return (await answer.json()) as T;
    },
    async close() {
      await local.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
