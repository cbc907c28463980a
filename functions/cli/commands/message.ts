import { randomUUID } from 'node:crypto';
import type { Command } from 'commander';
import { steeringView } from '../../../shared/messages/steering.ts';
import { PenstockError } from '../../../shared/ports/penstock-error.ts';
import { type ApiOptions, type Cli, configOf, newCommand, withUrl } from '../cli.ts';
import { locateRun } from '../client/locate-run.ts';
import { ask } from '../client/read-answer.ts';
import { exitCodes } from '../exit-codes.ts';

/** `penstock message RUN TEXT…`: the words may stand in quotes or not. */
export function messageCommand({ screen, end }: Cli): Command {
  return withUrl(newCommand('message', "says something to a run's agents", 'what the API answers'))
    .argument('<run>', 'its id, or enough of its start')
    .argument('<text...>', 'what they are to know')
    .action(async (prefix: string, words: string[], options: ApiOptions) => {
      const { source, run } = await locateRun(configOf(options), prefix);
      const { id } = run.view;
      if (source.kind === 'folder') {
        await source.close();
        throw new PenstockError(
          'unavailable',
          `nothing works on run ${id} in ${source.name}; start 'penstock up --data ${source.name}' and say it there`,
        );
      }
      const headers = { 'content-type': 'application/json', 'idempotency-key': randomUUID() };
      const init = { method: 'POST', headers, body: JSON.stringify({ text: words.join(' ') }) };
      const { raw, view } = await ask(source.client, `/api/runs/${id}/messages`, steeringView, init);
      const when = view.interrupts ? 'at once' : 'at their next turn';
      if (options.json === true) screen.json(raw);
      else screen.out(`message ${view.seq} to run ${id}: its agents read it ${when}`);
      end(exitCodes.done);
    });
}
