import type { RunEvent, RunView } from '../../../shared/messages/run-view.ts';
import type { TimelineLine } from '../render/timeline-line.ts';
import type { ApiClient } from './api-client.ts';
import { followEvents } from './follow-events.ts';
import { pastEvents } from './past-events.ts';
import { runAnswers } from './run-answers.ts';
import { openRunStory } from './run-story.ts';
import { watchForPerson } from './waits-for-person.ts';

export interface FollowOptions {
  signal?: AbortSignal;
  /** Every event as it comes, before its lines. */
  onEvent?: (event: RunEvent) => void;
}

/** Tells a run from its beginning, live, until it has ended or waits for a person; answers the run as it is then. */
export async function followRun(
  client: ApiClient,
  runId: string,
  onLine: (line: TimelineLine) => void,
  options: FollowOptions = {},
): Promise<RunView> {
  const story = await openRunStory(client, runId);
  const watch = watchForPerson(client, runId);
  for await (const event of followEvents(client, runId, options.signal)) {
    options.onEvent?.(event);
    for (const line of await story.tell(event)) onLine(line);
    if (
      event.task === undefined &&
      event.state === 'awaiting_approval' &&
      story.run().stage === 'awaiting_approval'
    )
      break;
    if (await watch.waitsAfter(event)) break;
  }
  return (await runAnswers.run(client, runId)).view;
}

/** Tells what is on record of a run and waits for nothing. */
export async function retellRun(
  client: ApiClient,
  runId: string,
  onLine: (line: TimelineLine) => void,
  options: FollowOptions = {},
): Promise<RunView> {
  const story = await openRunStory(client, runId);
  for await (const event of pastEvents(client, runId)) {
    options.onEvent?.(event);
    for (const line of await story.tell(event)) onLine(line);
  }
  return (await runAnswers.run(client, runId)).view;
}
