import { html } from 'hono/html';
import { awaitedDecisions } from '../../shared/core/decisions/read-decisions.ts';
import { runsOf } from '../../shared/core/refs.ts';
import { isTerminal, type Run } from '../../shared/core/run.ts';
import { readTasks } from '../../shared/core/run-tasks.ts';
import type { Task, TaskAttempt } from '../../shared/core/task.ts';
import { costView } from '../../shared/core/views/cost-view.ts';
import { renderLog } from '../../shared/core/views/render-log.ts';
import { readFeed } from '../../shared/core/views/run-feed.ts';
import { eventTypes, runsQuery } from '../../shared/messages/run-view.ts';
import type { Runtime } from '../../shared/runtime/functions.ts';
import type { ApiApp, ApiContext } from './api-env.ts';
import { findRun } from './find-run.ts';
import type { Html } from './pages/html.ts';
import { sendPage } from './pages/layout.ts';
import { readingOrder } from './pages/reading-order.ts';
import { type RunPage, runPage } from './pages/run-page.ts';
import { runsPage } from './pages/runs-page.ts';
import { runScript, runsScript } from './pages/script.ts';
import { integratedTask, readDiff } from './read-diff.ts';
import { transcriptChunks } from './transcript-chunks.ts';

/** A page stays light; the API has the rest. */
const MAX_DIFF_BYTES = 200 * 1024;
const MAX_LOG_CHARS = 64 * 1024;

export function addPageRoutes(app: ApiApp, { ports }: Runtime): void {
  const { store } = ports;

  async function sendRuns(context: ApiContext): Promise<Response> {
    const { limit, cursor, stage } = runsQuery.parse(context.req.query());
    const page = await store.query<Run>({
      from: { collection: runsOf(context.var.caller.tenant) },
      ...(stage === undefined ? {} : { where: [{ field: 'stage', op: '==', value: stage }] }),
      orderBy: { field: 'createdAt', direction: 'desc' },
      limit,
      ...(cursor === undefined ? {} : { cursor }),
    });
    const runs = page.documents.map(({ data }) => data);
    const main = runsPage({ runs, stage, next: page.cursor, now: ports.clock.now() });
    return sendPage(context, {
      title: 'Runs',
      simulated: ports.model.provider === 'script',
      script: runsScript,
      main,
    });
  }

  app.get('/', sendRuns);
  app.get('/runs', sendRuns);

  app.get('/runs/:id', async (context) => {
    const run = await findRun(store, context);
    const feed = await readFeed(store, run.tenant, run.id);
    const tasks = readingOrder(await readTasks(store, run.tenant, run.id));
    const events = feed?.events ?? [];
    const isOver = isTerminal(run.stage);
    const cost = costView(run, tasks);
    const page: RunPage = {
      run,
      tasks,
      decisions: isOver ? [] : await awaitedDecisions(store, run, tasks),
      events,
      cost,
      log: await readLog(chooseAttempt(tasks, context.req.query('log'))),
      diff: await readChange(tasks),
      now: ports.clock.now(),
    };
    return sendPage(context, {
      title: run.title,
      simulated: cost.simulated,
      script: runScript,
      data: { run: run.id, over: String(isOver), seq: String(events.length), events: eventTypes.join(' ') },
      aside: isOver ? liveMark('ended') : liveMark('connecting…'),
      main: runPage(page),
    });
  });

  async function readLog(chosen: { task: Task; attempt: TaskAttempt } | undefined): Promise<RunPage['log']> {
    if (chosen === undefined) return undefined;
    const { task, attempt } = chosen;
    let text = '';
    let isCut = false;
    for await (const bytes of transcriptChunks(ports, task, attempt.generation)) {
      text += renderLog(new TextDecoder().decode(bytes));
      if (text.length <= MAX_LOG_CHARS) continue;
      text = text.slice(text.indexOf('\n', text.length - MAX_LOG_CHARS) + 1);
      isCut = true;
    }
    return { task, attempt, text, isCut };
  }

  /** A change that cannot be shown must not hide the rest of the run. */
  async function readChange(tasks: readonly Task[]): Promise<string | undefined> {
    const task = integratedTask(tasks);
    if (task === undefined) return undefined;
    return readDiff(ports.blobs, task, MAX_DIFF_BYTES).catch((error: unknown) => {
      ports.log.error(`the change of ${task.id} cannot be shown: ${String(error)}`, {
        run: task.run,
        task: task.id,
      });
      return undefined;
    });
  }
}

/** The one asked for as `{task}.{n}`, else what runs, else what failed last, else the last. */
function chooseAttempt(
  tasks: readonly Task[],
  asked: string | undefined,
): { task: Task; attempt: TaskAttempt } | undefined {
  const all = tasks.flatMap((task) => task.attempts.map((attempt) => ({ task, attempt })));
  const byTime = all.toSorted((a, b) => a.attempt.startedAt - b.attempt.startedAt);
  return (
    all.find(({ task, attempt }) => `${task.id}.${attempt.generation}` === asked) ??
    byTime.findLast(({ task, attempt }) => task.live && attempt.exit === undefined) ??
    byTime.findLast(({ task }) => task.state === 'failed') ??
    byTime.at(-1)
  );
}

function liveMark(text: string): Html {
  return html`<span class="small soft" id="live" aria-live="polite">${text}</span>`;
}
