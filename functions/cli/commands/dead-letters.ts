import { Argument, type Command } from 'commander';
import { randomUUID } from 'node:crypto';
import { deadLetterView, type DeadLetterView, letterStates } from '../../../shared/messages/dead-letter.ts';
import { DEFAULT_LIST, listOf } from '../../../shared/messages/run-view.ts';
import { PenstockError } from '../../../shared/ports/penstock-error.ts';
import { type ApiOptions, type Cli, configOf, newCommand, withUrl } from '../cli.ts';
import type { ApiClient } from '../client/api-client.ts';
import { ask } from '../client/read-answer.ts';
import { DEFAULT_URL, findServer } from '../client/sources.ts';
import { exitCodes } from '../exit-codes.ts';
import { oneLine } from '../render/wording.ts';

interface LettersOptions extends ApiOptions {
  state?: string;
  cursor?: string;
}

const actions = ['list', 'replay', 'discard'] as const;
type Action = (typeof actions)[number];

const letters = listOf(deadLetterView);
const states = letterStates.join(', ');

/** `penstock dead-letters [list]`, `… replay ID`, `… discard ID`. */
export function deadLettersCommand({ screen, end }: Cli): Command {
  const command = newCommand(
    'dead-letters',
    'shows what was given up, tries it again, or puts it aside',
    'what the API answers',
  );
  return withUrl(command)
    .addArgument(new Argument('[action]', 'what to do').choices(actions).default('list'))
    .argument('[id]', 'of a letter, to replay or discard it')
    .option('--state <state>', `lists only these: ${states}`)
    .option('--cursor <cursor>', 'lists the page after this one')
    .action(async (action: Action, id: string | undefined, options: LettersOptions) => {
      const client = await serverOf(options);
      const { raw, lines } =
        action === 'list' ? await list(client, options) : await mutate(client, action, id);
      if (options.json === true) screen.json(raw);
      else for (const line of lines) screen.out(line);
      end(exitCodes.done);
    });
}

async function serverOf(options: ApiOptions): Promise<ApiClient> {
  const server = await findServer(configOf(options));
  if (server !== undefined) return server.client;
  const message = `no Penstock answers at ${DEFAULT_URL}; start it with 'penstock up', or set PENSTOCK_URL`;
  throw new PenstockError('unavailable', message);
}

interface Shown {
  raw: unknown;
  lines: string[];
}

async function list(client: ApiClient, { state, cursor }: LettersOptions): Promise<Shown> {
  if (state !== undefined && !letterStates.some((known) => known === state))
    throw new PenstockError('invalid', `--state is '${state}' and takes one of: ${states}`);
  const query = new URLSearchParams({ limit: String(DEFAULT_LIST) });
  if (state !== undefined) query.set('state', state);
  if (cursor !== undefined) query.set('cursor', cursor);
  const { raw, view } = await ask(client, `/api/dead-letters?${query.toString()}`, letters);
  if (view.items.length === 0) return { raw, lines: ['no dead letters'] };
  const more = view.next === undefined ? [] : [`more: penstock dead-letters --cursor ${view.next}`];
  return { raw, lines: [...view.items.map(letterLine), ...more] };
}

async function mutate(client: ApiClient, action: Action, id: string | undefined): Promise<Shown> {
  if (id === undefined)
    throw new PenstockError(
      'invalid',
      `say which letter to ${action}; 'penstock dead-letters' lists their ids`,
    );
  const headers = { 'content-type': 'application/json', 'idempotency-key': randomUUID() };
  const path = `/api/dead-letters/${encodeURIComponent(id)}/${action}`;
  const { raw, view } = await ask(client, path, deadLetterView, { method: 'POST', headers, body: '{}' });
  return { raw, lines: [outcome(view)] };
}

function outcome(letter: DeadLetterView): string {
  if (letter.state === 'discarded') return `dead letter ${letter.id} is discarded`;
  const replay = letter.replays.at(-1);
  const as = replay?.run === undefined ? 'its message is published again' : `as run ${replay.run}`;
  return `dead letter ${letter.id} is replayed (${replay?.n ?? 0}): ${as}`;
}

function letterLine(letter: DeadLetterView): string {
  const what =
    letter.kind === 'task'
      ? `task ${letter.run}/${letter.task} after ${letter.attempts} attempts`
      : `message to ${letter.subscription}`;
  const at = letter.at.slice(0, 16).replace('T', ' ');
  return `${letter.id}  ${at}  ${letter.state.padEnd(9)}  ${what}: ${oneLine(letter.error, 100)}`;
}
