import { PubSub } from '@google-cloud/pubsub';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type IncomingMessage } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { createFileBlobs } from '../../shared/adapters/local/file-blobs.ts';
import type { Ports } from '../../shared/core/ports.ts';
import { type Topic, topics } from '../../shared/messages/topics.ts';
import type { MessageFunction, Runtime } from '../../shared/runtime/functions.ts';
import { createGoogleRuntime } from '../../shared/runtime/google.ts';
import { readGoogleConfig } from '../../shared/runtime/google-config.ts';
import type { Emulators } from '../support/emulators.ts';
import { portOf } from '../support/port-of.ts';
import { openMessageDoor } from './function-door.ts';

/** Hands one push on to the function; answers its HTTP status. May be called as often as a test likes. */
type HandOn = () => Promise<number>;

export interface PushOptions {
  /** What lies between Pub/Sub and the function. @default hands each push on once */
  between?: (handOn: HandOn) => Promise<number>;
  /** The function's ports. @default those of the world */
  ports?: Ports;
  ackDeadlineSeconds?: number;
  maxDeliveryAttempts?: number;
  /** Where the function listens, if not in this process. */
  url?: string;
}

/** What came to a function by push, and what it answered. */
export interface Pushes {
  /** Of each push, in order of its end. */
  answers: number[];
  /** Begun. */
  count(): number;
}

/** A project of its own on Google's emulators, its functions behind real push subscriptions. */
export interface PushWorld {
  project: string;
  /** Of its own, removed by `close`. */
  folder: string;
  environment: Record<string, string>;
  runtime: Runtime;
  ports: Ports;
  subscribe<T extends Topic>(fn: MessageFunction<T>, options?: PushOptions): Promise<Pushes>;
  /** Publishes what no code of ours would. */
  publish(topic: Topic, data: string, attributes?: Record<string, string>): Promise<string>;
  close(): Promise<void>;
}

export async function openPushWorld(
  emulators: Emulators,
  more: Record<string, string> = {},
): Promise<PushWorld> {
  const project = `push-${randomUUID().slice(0, 8)}`;
  const environment = {
    PATH: process.env['PATH'] ?? '',
    METADATA_SERVER_DETECTION: 'none',
    LOG_LEVEL: 'SILENT',
    GOOGLE_CLOUD_PROJECT: project,
    FIRESTORE_EMULATOR_HOST: emulators.firestoreHost,
    PUBSUB_EMULATOR_HOST: emulators.pubsubHost,
    PENSTOCK_REGION: 'europe-west1',
    PENSTOCK_BUCKET: 'penstock',
    PENSTOCK_JOB: 'agent-job',
    PENSTOCK_JOB_HIGH: 'agent-job-high',
    PENSTOCK_PUBLIC_URL: 'http://127.0.0.1:9',
    PENSTOCK_IDENTITY: 'local',
    PENSTOCK_RETRY_BASE_SECONDS: '0.1',
    ...more,
  };
  const folder = await mkdtemp(join(tmpdir(), 'penstock-push-'));
  const composed = await createGoogleRuntime(readGoogleConfig(environment));
  const runtime = { ...composed, ports: { ...composed.ports, blobs: filesIn(folder, composed.ports) } };
  const pubsub = new PubSub({ projectId: project });
  await Promise.all(Object.keys(topics).map((topic) => pubsub.createTopic(topic)));
  const cleanups: (() => Promise<unknown>)[] = [
    () => rm(folder, { recursive: true, force: true }),
    () => pubsub.close(),
    () => runtime.close(),
  ];

  async function subscribe<T extends Topic>(
    fn: MessageFunction<T>,
    options: PushOptions = {},
  ): Promise<Pushes> {
    const url = options.url ?? (await openDoor(fn, options.ports));
    const pushes: Pushes & { begun: number } = { answers: [], begun: 0, count: () => pushes.begun };
    const between = await openBetween(url, { pushes, between: options.between ?? ((handOn) => handOn()) });
    const topic = `projects/${project}/topics/${fn.topic}`;
    const { ackDeadlineSeconds = 60, maxDeliveryAttempts } = options;
    const [subscription] = await pubsub.topic(fn.topic).createSubscription(fn.name, {
      pushConfig: { pushEndpoint: `${between.url}/${topic}` },
      ackDeadlineSeconds,
      ...(maxDeliveryAttempts === undefined
        ? {}
        : {
            deadLetterPolicy: {
              deadLetterTopic: `projects/${project}/topics/dead-letter`,
              maxDeliveryAttempts,
            },
          }),
    });
    cleanups.push(between.close, () => subscription.delete());
    return pushes;
  }

  async function openDoor<T extends Topic>(fn: MessageFunction<T>, ports = runtime.ports): Promise<string> {
    const door = await openMessageDoor(fn, { ...runtime, ports });
    cleanups.push(() => door.close());
    return door.url;
  }

  return {
    project,
    folder,
    environment,
    runtime,
    ports: runtime.ports,
    subscribe,
    publish: (topic, data, attributes = {}) =>
      pubsub.topic(topic).publishMessage({ data: Buffer.from(data), attributes }),
    close: async () => {
      for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
    },
  };
}

/** There is no emulator of Cloud Storage. */
function filesIn(directory: string, { clock }: Ports): Ports['blobs'] {
  return createFileBlobs({ directory, baseUrl: 'http://127.0.0.1:9', secret: 'test-secret', clock });
}

/** A door before the door: the emulator pushes here. */
async function openBetween(
  url: string,
  { pushes, between }: { pushes: Pushes & { begun: number }; between: (handOn: HandOn) => Promise<number> },
): Promise<{ url: string; close: () => Promise<void> }> {
  const server = createServer((request, response) => {
    pushes.begun += 1;
    void (async () => {
      const status = await answer(request, url, between);
      pushes.answers.push(status);
      response.writeHead(status).end();
    })();
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${portOf(server)}`,
    close: async () => {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}

async function answer(
  request: IncomingMessage,
  url: string,
  between: (handOn: HandOn) => Promise<number>,
): Promise<number> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const body = Buffer.concat(chunks);
  const handOn = async (): Promise<number> => {
    const headers = { 'content-type': 'application/json' };
    try {
      const response = await fetch(`${url}${request.url}`, { method: 'POST', headers, body });
      await response.arrayBuffer();
      return response.status;
    } catch {
      // The function is gone, as where Cloud Run finds no instance.
      return 503;
    }
  };
  return between(handOn);
}

/** Resolves with what `find` finds; throws after `timeoutMs` with what it waited for. */
export async function eventually<T>(
  what: string,
  find: () => Promise<T | undefined> | T | undefined,
  timeoutMs = 120_000,
): Promise<T> {
  const until = Date.now() + timeoutMs;
  for (;;) {
    const found = await find();
    if (found !== undefined) return found;
    if (Date.now() > until) throw new Error(`waited ${timeoutMs} ms in vain for ${what}`);
    await sleep(50);
  }
}
