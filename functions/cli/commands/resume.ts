import type { Command } from 'commander';
import { runView } from '../../../shared/messages/run-view.ts';
import { type ApiOptions, type Cli, configOf, newCommand, withUrl } from '../cli.ts';
import { askOfRun } from '../client/ask-of-run.ts';
import { exitCodes } from '../exit-codes.ts';

/** Of the answer only this is looked at. */
const resumed = runView.pick({ stage: true });

export function resumeCommand({ screen, end }: Cli): Command {
  return withUrl(newCommand('resume', 'lets a paused run go on', 'what the API answers'))
    .argument('<run>', 'its id, or enough of its start')
    .action(async (prefix: string, options: ApiOptions) => {
      const { id, raw, view } = await askOfRun(configOf(options), prefix, {
        verb: 'resume',
        answer: resumed,
      });
      if (options.json === true) screen.json(raw);
      else screen.out(`run ${id} is ${view.stage}; 'npx penstock watch ${id}' follows it`);
      end(exitCodes.done);
    });
}
