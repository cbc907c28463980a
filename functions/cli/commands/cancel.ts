import type { Command } from 'commander';
import { z } from 'zod';
import { type ApiOptions, type Cli, configOf, newCommand, withUrl } from '../cli.ts';
import { askOfRun } from '../client/ask-of-run.ts';
import { exitCodes } from '../exit-codes.ts';

/** Of the answer only this is looked at. */
const cancelled = z.object({ stage: z.string() });

export function cancelCommand({ screen, end }: Cli): Command {
  return withUrl(newCommand('cancel', 'asks a run to stop', 'what the API answers'))
    .argument('<run>', 'its id, or enough of its start')
    .action(async (prefix: string, options: ApiOptions) => {
      const { id, raw, view } = await askOfRun(configOf(options), prefix, {
        verb: 'cancel',
        answer: cancelled,
      });
      if (options.json === true) screen.json(raw);
      else screen.out(`run ${id} is ${view.stage}${hint(id, view.stage)}`);
      end(exitCodes.done);
    });
}

function hint(id: string, stage: string): string {
  return stage === 'cancelling' ? `; 'npx penstock watch ${id}' shows when it has stopped` : '';
}
