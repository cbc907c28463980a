import { rename, writeFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { chooseSandbox } from '../../shared/adapters/local/choose-sandbox.ts';
import { createRecordingFetch } from '../../shared/adapters/script/recording-fetch.ts';
import { loadScript } from '../../shared/adapters/script/script-file.ts';
import { startScriptServer } from '../../shared/adapters/script/script-server.ts';
import { PenstockError } from '../../shared/ports/penstock-error.ts';
import { type Config, DEFAULT_DRIVER, processEnvironment, readConfig } from '../../shared/runtime/config.ts';
import { type ModelAccess, modelAccess } from '../../shared/runtime/model-access.ts';
import { startHost } from './host.ts';

export interface UpOptions {
  /** 0: any free one. @default PORT, or 8080 */
  port?: number;
  /** @default PENSTOCK_DATA, or .penstock */
  data?: string;
  /** `anthropic` or `script:FILE`. @default anthropic */
  model?: string;
  /** Writes every answer of the model into this script file. */
  record?: string;
  /** Shell and tests for a live model although nothing confines them. */
  unsafeNoSandbox?: boolean;
  /** Only errors are logged. */
  quiet?: boolean;
  /** In place of the process's own. */
  env?: Record<string, string | undefined>;
}

export interface Up {
  url: string;
  token?: string;
  /** One sentence: how commands of agents are confined. */
  sandbox: string;
  model: ModelAccess['provider'];
  dataFolder: string;
  /** Resolves when every message so far is handled. */
  settled(): Promise<void>;
  stop(): Promise<void>;
}

/** The whole platform in this process, until `stop`. */
export async function startUp(options: UpOptions = {}): Promise<Up> {
  const config = readConfig({
    PENSTOCK_DRIVER: DEFAULT_DRIVER,
    ...(options.env ?? processEnvironment()),
    ...overrides(options),
  });
  const name = options.model ?? 'anthropic';
  if (options.record !== undefined && name !== 'anthropic') {
    throw new PenstockError(
      'config',
      '--record keeps what a live model answers; a script is a script already',
    );
  }
  const model = recorded(await openModel(config, name), options.record);
  const sandbox =
    config.PENSTOCK_SANDBOX === 'none' ? 'none: PENSTOCK_SANDBOX says so' : (await chooseSandbox()).reason;
  try {
    const host = await startHost({ config, model: model.access });
    return {
      url: host.url,
      ...(config.PENSTOCK_TOKEN === undefined ? {} : { token: config.PENSTOCK_TOKEN }),
      sandbox,
      model: model.access.provider,
      dataFolder: config.PENSTOCK_DATA,
      settled: () => host.runtime.queue.idle(),
      stop: async () => {
        await host.stop();
        await model.stop();
      },
    };
  } catch (error) {
    await model.stop();
    throw error;
  }
}

function overrides({ port, data, quiet, unsafeNoSandbox }: UpOptions): Record<string, string> {
  return {
    ...(port === undefined ? {} : { PORT: String(port) }),
    ...(data === undefined ? {} : { PENSTOCK_DATA: data }),
    ...(unsafeNoSandbox === true ? { PENSTOCK_UNSAFE_NO_SANDBOX: '1' } : {}),
    ...(quiet === true ? { LOG_LEVEL: 'ERROR' } : {}),
  };
}

interface OpenModel {
  access: ModelAccess;
  stop: () => Promise<void>;
}

function recorded(model: OpenModel, file: string | undefined): OpenModel {
  if (file === undefined) return model;
  const fetch = createRecordingFetch({
    name: basename(file),
    fetch: globalThis.fetch,
    now: () => Date.now(),
    write: async (text) => {
      await writeFile(`${file}.part`, text);
      await rename(`${file}.part`, file);
    },
  });
  return { ...model, access: { ...model.access, fetch } };
}

async function openModel(config: Config, name: string): Promise<OpenModel> {
  if (name === 'anthropic') return { access: modelAccess(config), stop: () => Promise.resolve() };
  const file = /^script:(.+)$/.exec(name)?.[1];
  if (file === undefined) {
    throw new PenstockError('config', `--model got '${name}' and takes anthropic or script:FILE`);
  }
  const server = await startScriptServer({ script: await loadScript(file) });
  return { access: { provider: 'script', baseUrl: server.url, apiKey: 'scripted' }, stop: server.stop };
}
