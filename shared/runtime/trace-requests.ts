import type { MiddlewareHandler } from 'hono';
import type { Trace } from '../ports/trace.ts';

/** Whose requests a function takes: of anybody, or of our own jobs and schedulers, which go on with what they were told. */
export type Callers = 'anybody' | 'our own';

/** Each request is a span: in the trace that its `traceparent` names, or the first of a new one. */
export function traceRequests(
  trace: Trace,
  { name, callers }: { name: string; callers: Callers },
): MiddlewareHandler {
  return (context, next) => {
    const { method, path } = context.req;
    const start = {
      name: `${name} ${method}`,
      kind: 'server' as const,
      parent: context.req.header('traceparent'),
      isForeign: callers === 'anybody',
      fields: { 'http.request.method': method, 'url.path': path },
    };
    return trace.span(start, async (span) => {
      await next();
      const { status } = context.res;
      span.note({ 'http.response.status_code': status });
      if (status >= 500) span.fail(context.error ?? new Error(`HTTP ${status}`));
    });
  };
}
