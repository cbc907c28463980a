import { randomBytes } from 'node:crypto';
import { access, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PenstockError } from '../../../shared/ports/penstock-error.ts';
import type { CliConfig } from '../../../shared/runtime/cli-config.ts';
import { createHttpClient } from './http-client.ts';
import type { Source } from './sources.ts';

type StartUp = (options: {
  port: number;
  data: string;
  model: string;
  quiet: boolean;
  unsafeNoSandbox: boolean;
}) => Promise<{
  url: string;
  token?: string;
  stop(): Promise<void>;
}>;

/**
 * The whole platform in this process for one run, in a data folder of its own.
 * Throws `config` where there is no model to work with, before anything is started.
 */
export async function hostRun(
  config: CliConfig,
  options: { model?: string | undefined; unsafeNoSandbox?: boolean | undefined; startUp?: StartUp } = {},
): Promise<Source> {
  const model = options.model ?? config.model ?? 'anthropic';
  assertModel(config, model);
  const data = await makeDataFolder(config.dataFolder);
  const startUp = options.startUp ?? (await import('../../local/up.ts')).startUp;
  const up = await startUp({
    port: 0,
    data,
    model,
    quiet: true,
    unsafeNoSandbox: options.unsafeNoSandbox === true,
  });
  const client = createHttpClient({ url: up.url, token: up.token });
  return { kind: 'server', name: up.url, folder: data, client, close: () => up.stop() };
}

function assertModel({ hasAnthropicKey }: CliConfig, model: string): void {
  if (model !== 'anthropic' || hasAnthropicKey) return;
  throw new PenstockError(
    'config',
    "there is no model to work with: set ANTHROPIC_API_KEY; or see the demo, which needs no key, with 'npm start'; or play a script with --model script:FILE",
  );
}

/** Two runs at once must not share a folder. What is in it is no part of the repository that it may stand in. */
async function makeDataFolder(root: string): Promise<string> {
  const data = join(root, `run-${randomBytes(3).toString('hex')}`);
  await mkdir(data, { recursive: true });
  const ignore = join(root, '.gitignore');
  await access(ignore).catch(() => writeFile(ignore, '*\n'));
  return data;
}
