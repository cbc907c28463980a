import { streamSSE, type SSEStreamingApi } from 'hono/streaming';
import { readFeed, type RunFeed } from '../../shared/core/views/run-feed.ts';
import { eventsQuery } from '../../shared/messages/run-view.ts';
import { PenstockError } from '../../shared/ports/penstock-error.ts';
import type { Runtime } from '../../shared/runtime/functions.ts';
import type { ApiApp, ApiContext } from './api-env.ts';
import { findRun, noRun } from './find-run.ts';
import { type RunWatch, watchRun } from './watch-run.ts';

/** Keeps the connection alive through proxies, and reads again whatever a watch may have missed. */
const HEARTBEAT_MS = 15_000;
/** A client that is still there connects again and goes on where it was. */
const MAX_STREAM_MS = 30 * 60_000;
const RECONNECT_MS = 2_000;

export function addEventRoutes(app: ApiApp, { ports }: Runtime): void {
  app.get('/api/runs/:id/events', async (context) => {
    const { tenant, id } = await findRun(ports.store, context);
    const { wait, limit, cursor } = eventsQuery.parse(context.req.query());
    const after = parseAfter(context.req.header('last-event-id') ?? cursor);
    return wait === undefined
      ? streamEvents(context, { tenant, id, after })
      : context.json(await poll({ tenant, id, after }, wait * 1_000, limit));
  });

  interface Reader {
    tenant: string;
    id: string;
    /** Number of the last event that the client has. */
    after: number;
  }

  async function read({ tenant, id }: Reader, watch: RunWatch): Promise<RunFeed> {
    const feed = await readFeed(ports.store, tenant, id);
    if (feed === undefined) throw noRun(id);
    watch.follow(feed.liveTasks);
    return feed;
  }

  /** What is new, at once or as soon as there is something. `next` is there as long as more may come. */
  async function poll(reader: Reader, waitMs: number, limit: number): Promise<object> {
    const watch = watchRun(ports, reader.tenant, reader.id);
    const until = ports.clock.now() + waitMs;
    try {
      for (;;) {
        const { events, isComplete } = await read(reader, watch);
        const left = until - ports.clock.now();
        const items = events.slice(reader.after, reader.after + limit);
        const last = items.at(-1)?.seq ?? reader.after;
        const isAll = isComplete && last >= events.length;
        if (items.length > 0 || isAll || left <= 0)
          return { items, ...(isAll ? {} : { next: String(last) }) };
        await watch.next(Math.min(left, HEARTBEAT_MS));
      }
    } finally {
      watch.stop();
    }
  }

  async function streamEvents(context: ApiContext, reader: Reader): Promise<Response> {
    const watch = watchRun(ports, reader.tenant, reader.id);
    const first = await read(reader, watch).catch((error: unknown) => {
      watch.stop();
      throw error;
    });
    if (first.isComplete && reader.after >= first.events.length) {
      watch.stop();
      // What tells an EventSource not to connect again.
      return context.body(null, 204);
    }
    return streamSSE(context, async (out) => {
      out.onAbort(() => watch.stop());
      try {
        await tell(out, reader, first, watch);
      } catch (error) {
        // The client connects again; what went wrong is for the log, not for the stream.
        ports.log.error(`the events of run ${reader.id} broke off: ${String(error)}`, { run: reader.id });
      } finally {
        watch.stop();
      }
    });
  }

  async function tell(out: SSEStreamingApi, reader: Reader, first: RunFeed, watch: RunWatch): Promise<void> {
    const until = ports.clock.now() + MAX_STREAM_MS;
    let { after } = reader;
    await out.write(`retry: ${RECONNECT_MS}\n\n`);
    for (let feed = first; ; feed = await read(reader, watch)) {
      for (const event of feed.events.slice(after)) {
        await out.writeSSE({ id: String(event.seq), event: event.type, data: JSON.stringify(event) });
        after = event.seq;
      }
      if (feed.isComplete || out.aborted || ports.clock.now() > until) return;
      await watch.next(HEARTBEAT_MS);
      if (out.aborted) return;
      await out.write(': \n\n');
    }
  }
}

function parseAfter(text: string | undefined): number {
  if (text === undefined || text === '') return 0;
  const after = Number(text);
  if (Number.isSafeInteger(after) && after >= 0) return after;
  throw new PenstockError(
    'invalid',
    `Last-Event-ID is the number of an event, not ${JSON.stringify(text.slice(0, 40))}`,
  );
}
