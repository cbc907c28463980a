import { serve, type ServerType } from '@hono/node-server';
import { Hono } from 'hono';
import type { AddressInfo } from 'node:net';
import { recoverHost } from '../../shared/core/recover-host.ts';
import { sweep } from '../../shared/core/sweep.ts';
import type { Topic } from '../../shared/messages/topics.ts';
import type { Config } from '../../shared/runtime/config.ts';
import type { HttpFunction, MessageFunction } from '../../shared/runtime/functions.ts';
import {
  createLocalRuntime,
  type LocalRuntime,
  type LocalRuntimeOptions,
} from '../../shared/runtime/local.ts';
import { onMessage } from '../../shared/runtime/on-message.ts';
import { routeOf } from '../../shared/runtime/routes.ts';
import { DEAD_LETTER_TOPIC, subscriptionOf } from '../../shared/runtime/subscriptions.ts';
import { agentExecution } from '../agent-execution/agent-execution.ts';
import { api } from '../api/api.ts';
import { attempts } from '../attempts/attempts.ts';
import { deadLetters } from '../dead-letters/dead-letters.ts';
import { decomposition } from '../decomposition/decomposition.ts';
import { intake } from '../intake/intake.ts';
import { integration } from '../integration/integration.ts';
import { notification } from '../notification/notification.ts';
import { resultHandling } from '../result-handling/result-handling.ts';
import { stages } from '../stages/stages.ts';
import { sweep as sweepFunction } from '../sweep/sweep.ts';
import { webhooks } from '../webhooks/webhooks.ts';
import { blobs } from './blobs.ts';
import { lockDataFolder } from './data-lock.ts';
import { executions } from './executions.ts';

export interface LocalHost {
  url: string;
  runtime: LocalRuntime;
  stop(): Promise<void>;
}

export type HostOptions = Omit<LocalRuntimeOptions, 'baseUrl'> & { config: Config };

/** The whole system in one process: every function behind one port, messages through the local queue. */
export async function startHost(options: HostOptions): Promise<LocalHost> {
  const { config } = options;
  const lock = lockDataFolder(config.PENSTOCK_DATA);
  let router: Hono | undefined;
  const { server, url } = await listen(
    config.PORT,
    (request, env) => router?.fetch(request, env) ?? new Response('starting', { status: 503 }),
  );
  lock.announce(url);
  const runtime = await createLocalRuntime({ ...options, baseUrl: url });
  router = routes(runtime);
  subscribe(runtime);
  await runtime.workflows.recover();
  await recoverHost(runtime.ports);
  runtime.queue.start();
  const timer = startSweeps(runtime, config.PENSTOCK_SWEEP_SECONDS * 1_000);
  return {
    url,
    runtime,
    stop: async () => {
      await timer.stop();
      await runtime.close();
      await close(server);
      lock.release();
    },
  };
}

type Fetch = (request: Request, env: object) => Response | Promise<Response>;

function listen(port: number, fetch: Fetch): Promise<{ server: ServerType; url: string }> {
  return new Promise((resolve, reject) => {
    const server = serve({ fetch, port, hostname: '127.0.0.1' }, (info: AddressInfo) => {
      resolve({ server, url: `http://127.0.0.1:${info.port}` });
    });
    server.once('error', reject);
  });
}

/** One door for all HTTP functions; each keeps its own limits and error texts. */
function routes(runtime: LocalRuntime): Hono {
  const http: HttpFunction[] = [webhooks, attempts, stages, sweepFunction, intake, api];
  const apps = new Map(http.map((fn) => [fn.name, fn.app(runtime)]));
  const signedUrls = blobs(runtime);
  const router = new Hono();
  const executionsApi = executions(runtime);
  router.all('/v1/projects/*', (context) => executionsApi.fetch(context.req.raw, context.env));
  router.all('/blobs/*', (context) => signedUrls.fetch(context.req.raw, context.env));
  router.all('*', (context) => {
    const target = apps.get(routeOf(context.req.method, context.req.path));
    return target === undefined ? context.notFound() : target.fetch(context.req.raw, context.env);
  });
  return router;
}

function subscribe(runtime: LocalRuntime): void {
  const deliver = <T extends Topic>(fn: MessageFunction<T>): void => {
    const { maxDeliveryAttempts } = subscriptionOf(fn.name);
    runtime.queue.subscribe({
      topic: fn.topic,
      subscription: fn.name,
      ...(maxDeliveryAttempts === undefined
        ? {}
        : { maxDeliveries: maxDeliveryAttempts, deadLetterTopic: DEAD_LETTER_TOPIC }),
      receive: (delivery) => onMessage(fn, runtime.ports, delivery),
    });
  };
  deliver(decomposition);
  deliver(agentExecution);
  deliver(resultHandling);
  deliver(integration);
  deliver(notification);
  deliver(deadLetters);
}

/** What Cloud Scheduler does in the cloud; one at a time. */
function startSweeps({ ports, store }: LocalRuntime, everyMs: number): { stop(): Promise<void> } {
  const stopped = new AbortController();
  const sweepOnce = async () => {
    try {
      await ports.clock.sleep(everyMs, stopped.signal);
      await sweep(ports);
      await store.purgeExpired(ports.clock.now());
    } catch (error) {
      if (!stopped.signal.aborted)
        ports.log.error(`sweep: ${error instanceof Error ? error.message : String(error)}`);
    }
  };
  const run = async () => {
    while (!stopped.signal.aborted) await sweepOnce();
  };
  const done = run();
  return {
    stop: async () => {
      stopped.abort();
      await done;
    },
  };
}

function close(server: ServerType): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    if ('closeAllConnections' in server) server.closeAllConnections();
  });
}
