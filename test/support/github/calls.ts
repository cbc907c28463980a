import type { HttpBindings } from '@hono/node-server';
import type { Context, Hono } from 'hono';

/** One API call that writes: everything but GET and HEAD. */
export interface Call {
  at: number;
  method: string;
  /** Without the query. */
  path: string;
  /** What the caller was answered; 0: the connection was cut. */
  status: number;
  /** Whether the stand-in carried it out, whatever it answered. */
  applied: boolean;
  body: unknown;
}

/** A failure of the next call that matches, before or after it took effect. */
export interface Fault {
  match: { method?: string; path: RegExp };
  /** 0 cuts the connection instead of answering. */
  status: number;
  /** `true`: the call is carried out, and then answered with the failure. */
  applied: boolean;
  headers?: Record<string, string>;
  body?: object;
  /** How many calls fail. @default 1 */
  times?: number;
  /** How many matching calls go by before. @default 0 */
  skip?: number;
  /** Told of each call that fails. */
  onFail?: () => void;
}

export interface Calls {
  list(): Call[];
  failNext(fault: Fault): void;
}

/** Notes writes and injects failures; comes before every route. */
export function addCallLog(app: Hono): Calls {
  const calls: Call[] = [];
  let faults: Fault[] = [];

  const take = (context: Context): Fault | undefined => {
    const matching = faults.filter(({ match }) => fits(match, context));
    const fault = matching.find(({ skip = 0 }) => skip === 0);
    for (const one of matching) if (one.skip !== undefined && one.skip > 0) one.skip -= 1;
    if (fault === undefined) return undefined;
    fault.times = (fault.times ?? 1) - 1;
    faults = faults.filter(({ times }) => times !== 0);
    fault.onFail?.();
    return fault;
  };
  app.use('*', async (context, next) => {
    const fault = take(context);
    const body = await loggedBody(context);
    if (fault === undefined || fault.applied) await next();
    const applied = (fault === undefined || fault.applied) && context.res.status < 400;
    if (fault !== undefined) context.res = answerFault(context, fault);
    const status = fault?.status ?? context.res.status;
    if (isWrite(context))
      calls.push({
        at: Date.now(),
        method: context.req.method,
        path: context.req.path,
        status,
        applied,
        body,
      });
  });
  return { list: () => [...calls], failNext: (fault) => void faults.push({ ...fault }) };
}

function fits(match: Fault['match'], context: Context): boolean {
  const { method, path } = context.req;
  return (match.method ?? method).toUpperCase() === method && match.path.test(path);
}

function isWrite(context: Context): boolean {
  const reads = ['GET', 'HEAD'].includes(context.req.method);
  return !reads && !context.req.path.endsWith('/git-upload-pack');
}

async function loggedBody(context: Context): Promise<unknown> {
  const type = context.req.header('content-type') ?? '';
  if (!isWrite(context) || !type.includes('json')) return undefined;
  try {
    return JSON.parse(await context.req.text());
  } catch {
    return undefined;
  }
}

function answerFault(context: Context, fault: Fault): Response {
  if (fault.status === 0) {
    (context.env as HttpBindings).incoming.socket.destroy();
    return new Response(null);
  }
  const body = fault.body ?? { message: `The stand-in was told to answer ${fault.status}` };
  return Response.json(body, {
    status: fault.status,
    ...(fault.headers === undefined ? {} : { headers: fault.headers }),
  });
}
