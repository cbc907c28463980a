import { randomUUID } from 'node:crypto';
import type { Command } from 'commander';
import { z } from 'zod';
import { PenstockError } from '../../../shared/ports/penstock-error.ts';
import { type ApiOptions, type Cli, configOf, newCommand, withUrl } from '../cli.ts';
import { locateRun } from '../client/locate-run.ts';
import { ask } from '../client/read-answer.ts';
import { exitCodes } from '../exit-codes.ts';

/** Of the answer only this is looked at. */
const cancelled = z.object({ stage: z.string() });

export function cancelCommand({ screen, end }: Cli): Command {
  return withUrl(newCommand('cancel', 'asks a run to stop', 'what the API answers'))
    .argument('<run>', 'its id, or enough of its start')
    .action(async (prefix: string, options: ApiOptions) => {
      const { source, run } = await locateRun(configOf(options), prefix);
      const { id } = run.view;
      if (source.kind === 'folder') {
        await source.close();
        throw new PenstockError(
          'unavailable',
          `nothing works on run ${id} in ${source.name}; start 'penstock up --data ${source.name}' and cancel it there`,
        );
      }
      const headers = { 'content-type': 'application/json', 'idempotency-key': randomUUID() };
      const init = { method: 'POST', headers, body: '{}' };
      const { raw, view } = await ask(source.client, `/api/runs/${id}/cancel`, cancelled, init);
      if (options.json === true) screen.json(raw);
      else screen.out(`run ${id} is ${view.stage}${hint(id, view.stage)}`);
      end(exitCodes.done);
    });
}

function hint(id: string, stage: string): string {
  return stage === 'cancelling' ? `; 'npx penstock watch ${id}' shows when it has stopped` : '';
}
