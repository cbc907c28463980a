import { stream } from 'hono/streaming';
import { renderLog } from '../../shared/core/views/render-log.ts';
import { logQuery } from '../../shared/messages/run-view.ts';
import type { Runtime } from '../../shared/runtime/functions.ts';
import type { ApiApp, ApiContext } from './api-env.ts';
import { findAttempt } from './find-run.ts';
import { transcriptChunks } from './transcript-chunks.ts';

export function addLogRoutes(app: ApiApp, { ports }: Runtime): void {
  const decoder = new TextDecoder();

  app.get('/api/runs/:id/tasks/:task/attempts/:n/log', (context) =>
    streamChunks(context, 'text/plain; charset=utf-8', (bytes) => renderLog(decoder.decode(bytes))),
  );

  app.get('/api/runs/:id/tasks/:task/attempts/:n/transcript', (context) =>
    streamChunks(context, 'application/x-ndjson', (bytes) => bytes),
  );

  async function streamChunks(
    context: ApiContext,
    contentType: string,
    show: (bytes: Uint8Array) => string | Uint8Array,
  ): Promise<Response> {
    const { task, attempt } = await findAttempt(ports.store, context);
    const follow = isOn(logQuery.parse(context.req.query()).follow);
    context.header('content-type', contentType);
    return stream(
      context,
      async (out) => {
        const gone = new AbortController();
        out.onAbort(() => gone.abort());
        const signal = follow ? gone.signal : undefined;
        for await (const bytes of transcriptChunks(ports, task, attempt.generation, signal)) {
          if (gone.signal.aborted) return;
          await out.write(show(bytes));
        }
      },
      (error) => {
        ports.log.error(`the log of ${task.id}/${attempt.generation} broke off: ${error.message}`, {
          run: task.run,
        });
        return Promise.resolve();
      },
    );
  }
}

/** `?follow` alone is meant as yes. */
function isOn(flag: string | undefined): boolean {
  return flag === '' || flag === '1' || flag === 'true';
}
