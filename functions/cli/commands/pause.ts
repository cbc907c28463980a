import type { Command } from 'commander';
import { runView } from '../../../shared/messages/run-view.ts';
import { type ApiOptions, type Cli, configOf, newCommand, withUrl } from '../cli.ts';
import { askOfRun } from '../client/ask-of-run.ts';
import { exitCodes } from '../exit-codes.ts';

/** Of the answer only this is looked at. */
const paused = runView.pick({ stage: true });

export function pauseCommand({ screen, end }: Cli): Command {
  return withUrl(newCommand('pause', 'begins nothing new in a run', 'what the API answers'))
    .argument('<run>', 'its id, or enough of its start')
    .action(async (prefix: string, options: ApiOptions) => {
      const { id, raw, view } = await askOfRun(configOf(options), prefix, { verb: 'pause', answer: paused });
      if (options.json === true) screen.json(raw);
      else screen.out(`run ${id} is ${view.stage}, paused; 'npx penstock resume ${id}' lets it go on`);
      end(exitCodes.done);
    });
}
