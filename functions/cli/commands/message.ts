import type { Command } from 'commander';
import { steeringView } from '../../../shared/messages/steering.ts';
import { type ApiOptions, type Cli, configOf, newCommand, withUrl } from '../cli.ts';
import { askOfRun } from '../client/ask-of-run.ts';
import { exitCodes } from '../exit-codes.ts';

/** `penstock message RUN TEXT…`: the words may stand in quotes or not. */
export function messageCommand({ screen, end }: Cli): Command {
  return withUrl(newCommand('message', "says something to a run's agents", 'what the API answers'))
    .argument('<run>', 'its id, or enough of its start')
    .argument('<text...>', 'what they are to know')
    .action(async (prefix: string, words: string[], options: ApiOptions) => {
      const { id, raw, view } = await askOfRun(configOf(options), prefix, {
        verb: 'messages',
        body: { text: words.join(' ') },
        answer: steeringView,
      });
      const when = view.interrupts ? 'at once' : 'at their next turn';
      if (options.json === true) screen.json(raw);
      else screen.out(`message ${view.seq} to run ${id}: its agents read it ${when}`);
      end(exitCodes.done);
    });
}
