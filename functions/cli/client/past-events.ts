import { listOf, MAX_LIST, runEvent, type RunEvent } from '../../../shared/messages/run-view.ts';
import type { ApiClient } from './api-client.ts';
import { ask } from './read-answer.ts';

const eventList = listOf(runEvent);

/** What is on record of a run now, without waiting for more. */
export async function* pastEvents(client: ApiClient, runId: string): AsyncGenerator<RunEvent> {
  let cursor: string | undefined;
  do {
    const from = cursor === undefined ? '' : `&cursor=${cursor}`;
    const { view } = await ask(
      client,
      `/api/runs/${runId}/events?wait=0&limit=${MAX_LIST}${from}`,
      eventList,
    );
    yield* view.items;
    cursor = view.items.length === 0 ? undefined : view.next;
  } while (cursor !== undefined);
}
