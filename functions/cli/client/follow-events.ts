import { setTimeout as sleep } from 'node:timers/promises';
import { runEvent, type RunEvent } from '../../../shared/messages/run-view.ts';
import { isTransient, PenstockError } from '../../../shared/ports/penstock-error.ts';
import type { ApiClient } from './api-client.ts';
import { readEventStream } from './event-stream.ts';
import { openAnswer } from './read-answer.ts';
import { runAnswers } from './run-answers.ts';

const FIRST_WAIT_MS = 250;
const LONGEST_WAIT_MS = 5_000;
/** Connections in a row that brought nothing before the server counts as gone. */
const MAX_EMPTY_CONNECTIONS = 8;

/**
 * The events of a run from its first one on, live, until the one that ends it. After a broken connection it goes on behind the last
 * event it saw (`Last-Event-ID`). Throws `unavailable` when the server stays away.
 */
export async function* followEvents(
  client: ApiClient,
  runId: string,
  signal?: AbortSignal,
): AsyncGenerator<RunEvent> {
  let last = 0;
  let empty = 0;
  while (empty < MAX_EMPTY_CONNECTIONS) {
    const before = last;
    for await (const event of connection(client, runId, last, signal)) {
      if (event.seq <= last) continue;
      last = event.seq;
      yield event;
      if (isEnd(event)) return;
    }
    if (last === before && (await isOver(client, runId))) return;
    empty = last > before ? 0 : empty + 1;
    await sleep(
      Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** empty),
      undefined,
      signal === undefined ? {} : { signal },
    );
  }
  throw new PenstockError(
    'unavailable',
    `the events of run ${runId} stay away; 'penstock watch ${runId}' goes on when the server is back`,
  );
}

/** One connection to its end. That it broke is no error here: the next one goes on. */
async function* connection(
  client: ApiClient,
  runId: string,
  last: number,
  signal?: AbortSignal,
): AsyncGenerator<RunEvent> {
  try {
    const headers = { accept: 'text/event-stream', ...(last === 0 ? {} : { 'last-event-id': String(last) }) };
    const init = { headers, ...(signal === undefined ? {} : { signal }) };
    const response = await openAnswer(client, `/api/runs/${runId}/events`, init);
    if (response.body === null) return;
    for await (const { data } of readEventStream(response.body)) {
      const event = parseEvent(data);
      if (event !== undefined) yield event;
    }
  } catch (error) {
    signal?.throwIfAborted();
    if (!isTransient(error)) throw error;
  }
}

/** A kind of event that this version does not know is skipped. */
function parseEvent(data: string): RunEvent | undefined {
  try {
    return runEvent.safeParse(JSON.parse(data)).data;
  } catch {
    return undefined;
  }
}

/** A run that had ended before its last event was asked for sends nothing more. */
async function isOver(client: ApiClient, runId: string): Promise<boolean> {
  try {
    return isTerminalStage((await runAnswers.run(client, runId)).view.stage);
  } catch (error) {
    if (!isTransient(error)) throw error;
    return false;
  }
}

export function isTerminalStage(stage: string): boolean {
  return stage === 'succeeded' || stage === 'failed' || stage === 'cancelled';
}

function isEnd(event: RunEvent): boolean {
  return event.task === undefined && isTerminalStage(event.state);
}
