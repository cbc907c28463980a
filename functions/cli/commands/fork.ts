import type { Command } from 'commander';
import type { ForkBody } from '../../../shared/messages/fork-body.ts';
import { acceptedRun } from '../../../shared/messages/requirement-body.ts';
import { type ApiOptions, type Cli, configOf, newCommand, withUrl } from '../cli.ts';
import { askOfRun } from '../client/ask-of-run.ts';
import { exitCodes } from '../exit-codes.ts';

type ForkOptions = ApiOptions & ForkBody;

export function forkCommand({ screen, end }: Cli): Command {
  const does = 'starts a new run from a task of another: it and everything behind it are done again';
  return withUrl(newCommand('fork', does, 'what the API answers'))
    .argument('<run>', 'its id, or enough of its start')
    .requiredOption('--task <task>', 'the task to start from')
    .option('--instructions <text>', 'what that task is told instead')
    .action(async (prefix: string, { task, instructions, ...options }: ForkOptions) => {
      const body: ForkBody = { task, ...(instructions === undefined ? {} : { instructions }) };
      const request = { verb: 'fork' as const, body, answer: acceptedRun };
      const { id, raw, view } = await askOfRun(configOf(options), prefix, request);
      if (options.json === true) screen.json(raw);
      else
        screen.out(`run ${view.runId} forks ${id} at ${task}; 'npx penstock watch ${view.runId}' follows it`);
      end(exitCodes.done);
    });
}
