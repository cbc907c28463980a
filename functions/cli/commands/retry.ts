import type { Command } from 'commander';
import { acceptedRun } from '../../../shared/messages/requirement-body.ts';
import { type ApiOptions, type Cli, configOf, newCommand, withUrl } from '../cli.ts';
import { askOfRun } from '../client/ask-of-run.ts';
import { exitCodes } from '../exit-codes.ts';

export function retryCommand({ screen, end }: Cli): Command {
  const does = 'starts a new run in place of one that has ended, with what succeeded in it';
  return withUrl(newCommand('retry', does, 'what the API answers'))
    .argument('<run>', 'its id, or enough of its start')
    .action(async (prefix: string, options: ApiOptions) => {
      const config = configOf(options);
      const { id, raw, view } = await askOfRun(config, prefix, { verb: 'retry', answer: acceptedRun });
      if (options.json === true) screen.json(raw);
      else screen.out(`run ${view.runId} retries ${id}; 'npx penstock watch ${view.runId}' follows it`);
      end(exitCodes.done);
    });
}
