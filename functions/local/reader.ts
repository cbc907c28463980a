import { resolve } from 'node:path';
import { createPinoLog } from '../../shared/adapters/local/pino-log.ts';
import { readConfig } from '../../shared/runtime/config.ts';
import { createLocalRuntime } from '../../shared/runtime/local.ts';
import { api } from '../api/api.ts';

export interface LocalReader {
  request(path: string, init?: RequestInit): Promise<Response>;
  close(): Promise<void>;
}

/** Nobody is asked for an answer while a folder is only read. */
const NO_MODEL = { provider: 'anthropic', baseUrl: 'http://127.0.0.1:9', apiKey: 'none' } as const;
const BASE_URL = 'http://localhost';

/** The API over a data folder whose platform does not run; nothing is delivered and nothing is swept. */
export async function openLocalReader({ data }: { data: string }): Promise<LocalReader> {
  const config = readConfig({ PENSTOCK_DATA: resolve(data) });
  const runtime = await createLocalRuntime({
    config,
    baseUrl: BASE_URL,
    model: NO_MODEL,
    log: createPinoLog({ level: 'SILENT' }),
  });
  const app = api.app(runtime);
  return {
    request: async (path, init) => app.fetch(new Request(`${BASE_URL}${path}`, init)),
    close: () => runtime.close(),
  };
}
