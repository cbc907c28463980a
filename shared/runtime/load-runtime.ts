import { readConfig } from './config.ts';
import { createLocalRuntime } from './local.ts';
import type { Runtime } from './functions.ts';
import { modelAccess } from './model-access.ts';

let runtime: Promise<Runtime> | undefined;

/** The runtime of a function that the functions framework starts, built once per process. */
export function loadRuntime(): Promise<Runtime> {
  runtime ??= compose();
  return runtime;
}

async function compose(): Promise<Runtime> {
  const config = readConfig();
  return createLocalRuntime({
    config,
    baseUrl: config.PENSTOCK_PUBLIC_URL ?? `http://127.0.0.1:${config.PORT}`,
    model: modelAccess(config),
  });
}
