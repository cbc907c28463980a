import type { Hono } from 'hono';
import type { Message, Topic } from '../messages/topics.ts';
import type { Ports } from '../core/ports.ts';
import type { MessagesGateway } from '../ports/messages-gateway.ts';
import type { Identity } from '../ports/identity.ts';

/** What a process of ours is composed of, whatever it stands on. */
export interface Runtime {
  ports: Ports;
  identity: Identity;
  /** Model calls of jobs go through here. */
  gateway: MessagesGateway;
  /** Those that hold now; two during a rotation. */
  webhookSecrets: () => Promise<string[]>;
  close(): Promise<void>;
}

/** One deployable that answers HTTP. `app` is built once per process. */
export interface HttpFunction {
  name: string;
  app: (runtime: Runtime) => Hono;
}

/** One deployable behind a push subscription of one topic. */
export interface MessageFunction<T extends Topic = Topic> {
  name: string;
  topic: T;
  handle: (ports: Ports, message: Message<T>) => Promise<void>;
}
