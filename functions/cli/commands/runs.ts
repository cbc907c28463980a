import type { Command } from 'commander';
import { DEFAULT_LIST, MAX_LIST, type RunView } from '../../../shared/messages/run-view.ts';
import { PenstockError } from '../../../shared/ports/penstock-error.ts';
import type { CliConfig } from '../../../shared/runtime/cli-config.ts';
import { type ApiOptions, type Cli, configOf, newCommand, withUrl } from '../cli.ts';
import { runAnswers } from '../client/run-answers.ts';
import { dataFolders, DEFAULT_URL, findServer, openFolder } from '../client/sources.ts';
import { exitCodes } from '../exit-codes.ts';
import { oneLine } from '../render/wording.ts';

interface RunsOptions extends ApiOptions {
  limit: string;
}

interface ListedRuns {
  raw: unknown;
  runs: RunView[];
}

export function runsCommand({ screen, end }: Cli): Command {
  const command = newCommand(
    'runs',
    'lists runs, the newest first',
    'the API’s list; of data folders {"items": […]}',
  );
  return withUrl(command)
    .option('--limit <n>', `at most so many, 1 to ${MAX_LIST}`, String(DEFAULT_LIST))
    .action(async (options: RunsOptions) => {
      const { raw, runs } = await listRuns(configOf(options), limitOf(options.limit));
      if (options.json === true) screen.json(raw);
      else if (runs.length === 0) screen.out("no runs yet; 'penstock submit' starts one");
      else for (const run of runs) screen.out(runLine(run));
      end(exitCodes.done);
    });
}

function limitOf(text: string): number {
  const limit = Number(text);
  if (Number.isInteger(limit) && limit >= 1 && limit <= MAX_LIST) return limit;
  throw new PenstockError('invalid', `--limit is '${text}' and takes a number from 1 to ${MAX_LIST}`);
}

async function listRuns(config: CliConfig, limit: number): Promise<ListedRuns> {
  const server = await findServer(config);
  if (server === undefined) return listFolders(config, limit);
  const { raw, view } = await runAnswers.list(server.client, { limit });
  return { raw, runs: view.items };
}

async function listFolders(config: CliConfig, limit: number): Promise<ListedRuns> {
  const folders = await dataFolders(config.dataFolder);
  if (folders.length === 0) {
    throw new PenstockError(
      'unavailable',
      `no Penstock answers at ${DEFAULT_URL} and there are no runs in ${config.dataFolder}; start it with 'penstock up', or set PENSTOCK_URL`,
    );
  }
  const entries: { raw: unknown; run: RunView }[] = [];
  for (const folder of folders) {
    const source = await openFolder(folder, config.token);
    try {
      const { raw, view } = await runAnswers.list(source.client, { limit });
      const items = (raw as { items: unknown[] }).items;
      entries.push(...view.items.map((run, index) => ({ raw: items[index], run })));
    } finally {
      await source.close();
    }
  }
  const newest = entries.toSorted((a, b) => b.run.createdAt.localeCompare(a.run.createdAt)).slice(0, limit);
  return { raw: { items: newest.map((entry) => entry.raw) }, runs: newest.map(({ run }) => run) };
}

function runLine(run: RunView): string {
  const pull = run.pullRequest === undefined ? '' : `   PR #${run.pullRequest.number}`;
  return `${run.id.padEnd(18)}${run.createdAt.slice(0, 16).replace('T', ' ')}  ${run.stage.padEnd(18)}${oneLine(run.title, 70)}${pull}`;
}
