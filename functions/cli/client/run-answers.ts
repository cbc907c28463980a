import { z } from 'zod';
import {
  costView,
  listOf,
  MAX_LIST,
  planView,
  runView,
  taskView,
  type TaskView,
} from '../../../shared/messages/run-view.ts';
import type { ApiClient } from './api-client.ts';
import { ask, type Answer } from './read-answer.ts';

const runList = listOf(runView);
const taskList = listOf(taskView);
/** A run has at most 200 planned tasks and a few of the platform's own. */
const MAX_TASK_PAGES = 5;

/** The reads of one run, as the API answers them. */
export const runAnswers = {
  list: (client: ApiClient, query: { limit: number; cursor?: string | undefined }) => {
    const cursor = query.cursor === undefined ? '' : `&cursor=${encodeURIComponent(query.cursor)}`;
    return ask(client, `/api/runs?limit=${query.limit}${cursor}`, runList);
  },
  run: (client: ApiClient, id: string) => ask(client, `/api/runs/${id}`, runView),
  plan: (client: ApiClient, id: string) => ask(client, `/api/runs/${id}/plan`, planView),
  cost: (client: ApiClient, id: string) => ask(client, `/api/runs/${id}/cost`, costView),
  tasks: allTasks,
};

/** All pages as one list; `raw` holds the entries as they came. */
async function allTasks(client: ApiClient, id: string): Promise<Answer<TaskView[]>> {
  const raw: unknown[] = [];
  const view: TaskView[] = [];
  let cursor = '';
  for (let page = 0; page < MAX_TASK_PAGES; page += 1) {
    const answer = await ask(client, `/api/runs/${id}/tasks?limit=${MAX_LIST}${cursor}`, taskList);
    raw.push(...entries.parse(answer.raw).items);
    view.push(...answer.view.items);
    if (answer.view.next === undefined) break;
    cursor = `&cursor=${encodeURIComponent(answer.view.next)}`;
  }
  return { raw, view };
}

const entries = z.object({ items: z.array(z.unknown()) });
