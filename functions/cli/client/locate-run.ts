import { MAX_LIST, type RunView } from '../../../shared/messages/run-view.ts';
import { PenstockError } from '../../../shared/ports/penstock-error.ts';
import type { CliConfig } from '../../../shared/runtime/cli-config.ts';
import type { ApiClient } from './api-client.ts';
import type { Answer } from './read-answer.ts';
import { runAnswers } from './run-answers.ts';
import { dataFolders, DEFAULT_URL, findServer, openFolder, type Source } from './sources.ts';

/** Runs that are looked through for the start of an id, newest first. */
const MAX_SEARCH_PAGES = 10;
const RUN_ID = /^[a-z0-9]{1,32}$/;

export interface LocatedRun {
  source: Source;
  run: Answer<RunView>;
}

/**
 * The one run whose id begins with `prefix`: on the server, otherwise in a data folder. The caller closes its source.
 * Throws `not_found`, or `invalid` where more than one run begins so.
 */
export async function locateRun(config: CliConfig, prefix: string): Promise<LocatedRun> {
  if (!RUN_ID.test(prefix))
    throw new PenstockError('invalid', `'${prefix}' is not a run id; 'penstock runs' lists them`);
  const server = await findServer(config);
  const onServer = server === undefined ? undefined : await findRun(server.client, prefix);
  if (server !== undefined && onServer !== undefined) return { source: server, run: onServer };
  const inFolder = config.url === undefined ? await findInFolders(config, prefix) : undefined;
  if (inFolder !== undefined) return inFolder;
  throw notFound(config, prefix, server);
}

function notFound(config: CliConfig, prefix: string, server: Source | undefined): PenstockError {
  const where = server === undefined ? `in ${config.dataFolder}` : `at ${server.name}`;
  const none = server === undefined ? `, and no Penstock answers at ${DEFAULT_URL}` : '';
  return new PenstockError(
    server === undefined ? 'unavailable' : 'not_found',
    `no run begins with ${prefix} ${where}${none}; 'penstock runs' lists the runs there are`,
  );
}

async function findInFolders(config: CliConfig, prefix: string): Promise<LocatedRun | undefined> {
  const found: LocatedRun[] = [];
  for (const folder of await dataFolders(config.dataFolder)) {
    const source = await openFolder(folder, config.token);
    const run = await findRun(source.client, prefix);
    if (run === undefined) await source.close();
    else found.push({ source, run });
  }
  const [first, ...others] = found;
  if (others.length === 0) return first;
  await Promise.all(found.map(({ source }) => source.close()));
  throw ambiguous(
    prefix,
    found.map(({ run, source }) => `${run.view.id} (${source.name})`),
  );
}

/** The run of one source; a whole id needs no search. */
export async function findRun(client: ApiClient, prefix: string): Promise<Answer<RunView> | undefined> {
  const exact = await runAnswers.run(client, prefix).catch(undefinedIfAbsent);
  if (exact !== undefined) return exact;
  const ids = await idsBeginningWith(client, prefix);
  if (ids.length > 1) throw ambiguous(prefix, ids);
  const [id] = ids;
  return id === undefined ? undefined : runAnswers.run(client, id);
}

/** A prefix is too short for an id: such a path is as good as absent. */
function undefinedIfAbsent(error: unknown): undefined {
  if (error instanceof PenstockError && (error.code === 'not_found' || error.code === 'invalid'))
    return undefined;
  throw error;
}

async function idsBeginningWith(client: ApiClient, prefix: string): Promise<string[]> {
  const ids: string[] = [];
  let cursor: string | undefined;
  for (let page = 0; page < MAX_SEARCH_PAGES; page += 1) {
    const { view } = await runAnswers.list(client, { limit: MAX_LIST, cursor });
    ids.push(...view.items.map(({ id }) => id).filter((id) => id.startsWith(prefix)));
    cursor = view.next;
    if (cursor === undefined) break;
  }
  return ids;
}

function ambiguous(prefix: string, names: string[]): PenstockError {
  return new PenstockError('invalid', `more than one run begins with ${prefix}; give more of its id`, {
    reasons: names.slice(0, 20),
  });
}
