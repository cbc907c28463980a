import { constants } from 'node:fs';
import { access } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { runGit } from '../../../shared/adapters/local/git-command.ts';
import { chooseSandbox } from '../../../shared/adapters/local/choose-sandbox.ts';
import { isRetired, modelTable } from '../../../shared/core/models/model-table.ts';
import type { CliConfig } from '../../../shared/runtime/cli-config.ts';
import { DEFAULT_URL, findServer } from './sources.ts';

export interface Finding {
  name: string;
  /** `note`: it works, but the reader should know. */
  state: 'ok' | 'note' | 'wrong';
  detail: string;
}

/** What `doctor` says about this machine and its settings. Never a secret. */
export async function examine(config: CliConfig): Promise<Finding[]> {
  return [
    nodeVersion(),
    await git(),
    await sandbox(config),
    modelKey(config),
    models(new Date().toISOString().slice(0, 10)),
    await dataFolder(config.dataFolder),
    await server(config),
    githubApp(config),
  ];
}

/** The oldest release line that reads TypeScript by itself. */
const OLDEST_NODE = [22, 18] as const;

function nodeVersion(): Finding {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  const isEnough = major > OLDEST_NODE[0] || (major === OLDEST_NODE[0] && minor >= OLDEST_NODE[1]);
  const detail = `${process.versions.node} (${process.execPath})`;
  return {
    name: 'node',
    state: isEnough ? 'ok' : 'wrong',
    detail: isEnough ? detail : `${detail}; needs ${OLDEST_NODE.join('.')} or newer: run 'npm ci'`,
  };
}

async function git(): Promise<Finding> {
  try {
    const { stdout } = await runGit(['--version'], { cwd: process.cwd() });
    return {
      name: 'git',
      state: 'ok',
      detail: stdout
        .toString('utf8')
        .trim()
        .replace(/^git version /, ''),
    };
  } catch (error) {
    return { name: 'git', state: 'wrong', detail: error instanceof Error ? error.message : String(error) };
  }
}

async function sandbox(config: CliConfig): Promise<Finding> {
  const name = 'sandbox';
  const unconfined = config.isUnsafeAllowed
    ? 'PENSTOCK_UNSAFE_NO_SANDBOX lets a live model run commands with your own rights all the same'
    : 'a live model gets no shell and no test runner';
  if (config.sandbox === 'none')
    return { name, state: 'note', detail: `none, because PENSTOCK_SANDBOX says so; ${unconfined}` };
  const chosen = await chooseSandbox();
  if (chosen.sandbox.kind !== 'none') return { name, state: 'ok', detail: chosen.reason };
  const state = config.sandbox === 'bubblewrap' ? 'wrong' : 'note';
  return { name, state, detail: `${chosen.reason}; ${unconfined}` };
}

function modelKey({ hasAnthropicKey, model }: CliConfig): Finding {
  const name = 'model key';
  if (hasAnthropicKey) return { name, state: 'ok', detail: 'ANTHROPIC_API_KEY is set' };
  if (model?.startsWith('script:') === true)
    return {
      name,
      state: 'note',
      detail: `no ANTHROPIC_API_KEY; PENSTOCK_MODEL plays a script, no AI is called`,
    };
  return {
    name,
    state: 'note',
    detail: "no ANTHROPIC_API_KEY: only the demo ('npm start') and --model script:FILE work",
  };
}

function models(today: string): Finding {
  const retired = modelTable.filter((model) => isRetired(model, today)).map(({ id }) => id);
  const prices = modelTable.map(({ pricesAsOf }) => pricesAsOf).toSorted()[0];
  if (retired.length === 0)
    return {
      name: 'models',
      state: 'ok',
      detail: `${modelTable.map(({ id }) => id).join(', ')}; none retired, prices as of ${prices}`,
    };
  return {
    name: 'models',
    state: 'wrong',
    detail: `retired: ${retired.join(', ')}; replace them in shared/core/models/model-table.ts`,
  };
}

async function dataFolder(folder: string): Promise<Finding> {
  const path = resolve(folder);
  const existing = await nearestExisting(path);
  const isWritable = await access(existing, constants.W_OK | constants.X_OK).then(
    () => true,
    () => false,
  );
  if (!isWritable)
    return {
      name: 'data folder',
      state: 'wrong',
      detail: `${path} cannot be written; set PENSTOCK_DATA to a folder that can`,
    };
  return {
    name: 'data folder',
    state: 'ok',
    detail: existing === path ? path : `${path}, which will be made`,
  };
}

async function nearestExisting(path: string): Promise<string> {
  const isThere = await access(path).then(
    () => true,
    () => false,
  );
  return isThere || dirname(path) === path ? path : nearestExisting(dirname(path));
}

/** A server that was asked for by name has to be there; at the default address none is needed. */
async function server(config: CliConfig): Promise<Finding> {
  const name = 'server';
  const found = await findServer(config);
  if (found === undefined)
    return {
      name,
      state: 'note',
      detail: `none at ${DEFAULT_URL}; 'submit' then runs everything in its own process`,
    };
  try {
    const { status } = await found.client.request('/health', { signal: AbortSignal.timeout(5_000) });
    if (status === 401 || status === 403)
      return { name, state: 'wrong', detail: `${found.name} answers, but refuses us: set PENSTOCK_TOKEN` };
    const isWell = status < 500;
    return {
      name,
      state: isWell ? 'ok' : 'wrong',
      detail: isWell ? found.name : `${found.name} answers with status ${status}`,
    };
  } catch (error) {
    return { name, state: 'wrong', detail: error instanceof Error ? error.message : String(error) };
  }
}

function githubApp({ githubApp: { set, missing, accounts } }: CliConfig): Finding {
  const name = 'GitHub App';
  const takes =
    accounts === undefined
      ? 'installations of any account are taken: where the App is public, name yours in PENSTOCK_GITHUB_ACCOUNTS'
      : `installations of ${accounts} are taken`;
  if (missing.length === 0) return { name, state: 'ok', detail: `${set.join(', ')} are set; ${takes}` };
  if (set.length === 0)
    return {
      name,
      state: 'note',
      detail: `not connected (${missing.join(', ')}); local checkouts work without`,
    };
  return { name, state: 'wrong', detail: `not complete: ${missing.join(' and ')} missing` };
}
