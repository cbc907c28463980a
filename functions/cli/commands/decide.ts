import type { Command } from 'commander';
import { PenstockError } from '../../../shared/ports/penstock-error.ts';
import { type ApiOptions, type Cli, configOf, newCommand, withUrl } from '../cli.ts';
import type { ApiClient } from '../client/api-client.ts';
import { decisionAnswers } from '../client/decision-answers.ts';
import { DEFAULT_URL, findServer } from '../client/sources.ts';
import { exitCodes } from '../exit-codes.ts';
import { decisionText, outcomeText } from '../render/decision-text.ts';
import type { Screen } from '../screen.ts';
import { budgetOf } from './requirement-options.ts';

interface DecideOptions extends ApiOptions {
  budget?: string;
  comment?: string;
}

/** `penstock decide ID OPTION` answers, `penstock decide ID` shows one, `penstock decide` lists what is open. */
export function decideCommand({ screen, end }: Cli): Command {
  return withUrl(
    newCommand('decide', 'answers a question of a run; alone, lists the open ones', 'what the API answers'),
  )
    .argument('[decision]', 'its id')
    .argument('[option]', 'one of its options')
    .option('--budget <usd>', 'with raise: what the run may spend in all')
    .option('--comment <text>', 'kept with the answer')
    .action(async (id: string | undefined, option: string | undefined, options: DecideOptions) => {
      const client = await serverOf(options);
      if (id === undefined) await list(client, screen, options.json === true);
      else if (option === undefined) await show(client, screen, { id, json: options.json === true });
      else await answer(client, screen, { id, option, options });
      end(exitCodes.done);
    });
}

/** An answer that nobody acts on would be none, so a data folder alone is not enough. */
async function serverOf(options: DecideOptions): Promise<ApiClient> {
  const server = await findServer(configOf(options));
  if (server !== undefined) return server.client;
  throw new PenstockError(
    'unavailable',
    `no Penstock answers at ${DEFAULT_URL}; start it with 'penstock up' (with --data FOLDER where the run waits in one), or set PENSTOCK_URL`,
  );
}

async function list(client: ApiClient, screen: Screen, json: boolean): Promise<void> {
  const { raw, view } = await decisionAnswers.open(client);
  if (json) return screen.json(raw);
  if (view.items.length === 0) return screen.out('nothing waits for a decision');
  for (const [index, decision] of view.items.entries()) {
    if (index > 0) screen.out();
    for (const line of decisionText(decision)) screen.out(line);
  }
}

async function show(
  client: ApiClient,
  screen: Screen,
  { id, json }: { id: string; json: boolean },
): Promise<void> {
  const { raw, view } = await decisionAnswers.one(client, id);
  if (json) screen.json(raw);
  else for (const line of decisionText(view)) screen.out(line);
}

async function answer(
  client: ApiClient,
  screen: Screen,
  { id, option, options }: { id: string; option: string; options: DecideOptions },
): Promise<void> {
  const { budget, comment } = options;
  const { raw, view } = await decisionAnswers.decide(client, {
    decisionId: id,
    option,
    ...(comment === undefined ? {} : { comment }),
    ...(budget === undefined ? {} : { budgetUsd: budgetOf(budget) }),
  });
  if (options.json === true) return screen.json(raw);
  screen.out(`decision ${id}: ${outcomeText(view)}`);
  screen.out(`  npx penstock watch ${view.run}`);
}
