import { getTestServer } from '@google-cloud/functions-framework/testing';
import { mkdtemp, rm } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Policy, Ports } from '../../shared/core/ports.ts';
import type { Topic } from '../../shared/messages/topics.ts';
import { readConfig } from '../../shared/runtime/config.ts';
import type { HttpFunction, MessageFunction, Runtime } from '../../shared/runtime/functions.ts';
import {
  createLocalRuntime,
  type LocalRuntime,
  type LocalRuntimeOptions,
} from '../../shared/runtime/local.ts';
import { registerHttp, registerMessage } from '../../shared/runtime/register.ts';
import { withFirestoreIndexes } from '../support/firestore-planner.ts';

export interface Published {
  topic: string;
  message: object;
}

export interface RuntimeOptions extends Partial<Pick<LocalRuntimeOptions, 'model' | 'work'>> {
  env?: Record<string, string>;
  policy?: Partial<Policy>;
  decorate?: (ports: Ports) => Ports;
}

/** One function's process: real store, queue and files in a folder of its own. Nothing is delivered, so what was published stays visible. */
export interface FunctionRuntime extends LocalRuntime {
  published: Published[];
  remove(): Promise<void>;
}

const NO_MODEL = { provider: 'script', baseUrl: 'http://127.0.0.1:9', apiKey: 'none' } as const;

export async function openRuntime(options: RuntimeOptions = {}): Promise<FunctionRuntime> {
  const folder = await mkdtemp(join(tmpdir(), 'penstock-door-'));
  const published: Published[] = [];
  const runtime = await createLocalRuntime({
    config: readConfig({
      PATH: process.env['PATH'],
      LOG_LEVEL: 'SILENT',
      PENSTOCK_DATA: folder,
      ...options.env,
    }),
    baseUrl: 'http://127.0.0.1:9',
    model: options.model ?? NO_MODEL,
    ...(options.work === undefined ? {} : { work: options.work }),
    decorate: (ports) => {
      const own = {
        ...ports,
        store: withFirestoreIndexes(ports.store),
        policy: { ...ports.policy, ...options.policy },
        queue: recorded(ports.queue, published),
      };
      return options.decorate?.(own) ?? own;
    },
  });
  return {
    ...runtime,
    published,
    remove: async () => {
      await runtime.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

function recorded(queue: Ports['queue'], published: Published[]): Ports['queue'] {
  return {
    publish: async (topic, message, options) => {
      await queue.publish(topic, message, options);
      published.push({ topic, message });
    },
    close: () => queue.close(),
  };
}

export interface Door {
  url: string;
  close(): Promise<void>;
}

/** A function as the functions framework serves it, on a free port. */
export async function openHttpDoor(fn: HttpFunction, runtime: Runtime, host = '127.0.0.1'): Promise<Door> {
  registerHttp(
    fn.name,
    () => Promise.resolve(fn),
    () => Promise.resolve(runtime),
  );
  return serve(fn.name, host);
}

export async function openMessageDoor<T extends Topic>(
  fn: MessageFunction<T>,
  runtime: Runtime,
): Promise<Door> {
  registerMessage(
    fn.name,
    () => Promise.resolve(fn),
    () => Promise.resolve(runtime),
  );
  return serve(fn.name, '127.0.0.1');
}

/** Serves what is registered under a name. */
export async function serve(name: string, host = '127.0.0.1'): Promise<Door> {
  const server = getTestServer(name);
  await new Promise<void>((resolve) => {
    server.listen(0, host, resolve);
  });
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    close: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
