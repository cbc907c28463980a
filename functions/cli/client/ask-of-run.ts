import { randomUUID } from 'node:crypto';
import type { z } from 'zod';
import { PenstockError } from '../../../shared/ports/penstock-error.ts';
import type { CliConfig } from '../../../shared/runtime/cli-config.ts';
import { locateRun } from './locate-run.ts';
import { ask, type Answer } from './read-answer.ts';

/** What a run is asked for: the last segment of the route, and its body. */
export interface RunRequest<T> {
  verb: 'cancel' | 'pause' | 'resume' | 'retry' | 'fork' | 'messages';
  body?: object;
  answer: z.ZodType<T>;
}

/**
 * Asks something of a run, once: the platform that works on it must be up.
 * @throws PenstockError `unavailable` for a run in a data folder that nobody works on.
 */
export async function askOfRun<T>(
  config: CliConfig,
  prefix: string,
  { verb, body = {}, answer }: RunRequest<T>,
): Promise<Answer<T> & { id: string }> {
  const { source, run } = await locateRun(config, prefix);
  const { id } = run.view;
  try {
    if (source.kind === 'folder') throw notUp(id, source.name, verb);
    const headers = { 'content-type': 'application/json', 'idempotency-key': randomUUID() };
    const init = { method: 'POST', headers, body: JSON.stringify(body) };
    return { id, ...(await ask(source.client, `/api/runs/${id}/${verb}`, answer, init)) };
  } finally {
    await source.close();
  }
}

function notUp(id: string, folder: string, verb: string): PenstockError {
  const advice = `start 'penstock up --data ${folder}' and ${verb === 'messages' ? 'say' : verb} it there`;
  return new PenstockError('unavailable', `nothing works on run ${id} in ${folder}; ${advice}`);
}
