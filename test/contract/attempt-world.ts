import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createAnthropicModel } from '../../shared/adapters/anthropic/anthropic-model.ts';
import { script } from '../../shared/adapters/script/script-file.ts';
import { startScriptServer } from '../../shared/adapters/script/script-server.ts';
import { claimTask } from '../../shared/core/claim-task.ts';
import type { Ports } from '../../shared/core/ports.ts';
import { blobKeys } from '../../shared/core/refs.ts';
import { sweep } from '../../shared/core/sweep.ts';
import type { Task } from '../../shared/core/task.ts';
import type { TaskHint } from '../../shared/messages/topics.ts';
import type { Attempt } from '../../shared/ports/attempt.ts';
import { type Engine, silent, startEngine, TENANT } from '../support/engine.ts';
import { portOf } from '../support/port-of.ts';

/** Its agent is of the function lane and owes a text: nothing of a workspace gets in the way. */
const AGENT = 'project_architect';
const TASK = 'design';
export const KEY = 'key-of-the-platform';

/** A model provider: a script server behind a line that can be watched and cut. */
export interface Upstream {
  url: string;
  /** Paths of the calls that arrived, in order. */
  calls: string[];
  /** Called when a message arrives, before it is answered. */
  onMessage: () => Promise<void>;
  /** Cuts the line in the middle of each answer. */
  isCut: boolean;
  stop(): Promise<void>;
}

/** The way from a dispatched task to an attempt that is held. */
export type OpenAttempt = (world: {
  ports: Ports;
  hint: TaskHint;
  upstream: Upstream;
}) => Promise<{ attempt: Attempt; close: () => Promise<void> }>;

/** One task of a real run on SQLite, claimed by the attempt under test. */
export interface AttemptWorld {
  engine: Engine;
  upstream: Upstream;
  attempt: Attempt;
  hint: TaskHint;
  task(): Promise<Task>;
  /** Chunk `n` of the stored transcript, a line each. */
  chunk(n: number): Promise<string[] | undefined>;
  blob(key: string): Promise<string | undefined>;
  /** The lease passes, the sweep takes the task back, and somebody else claims it. */
  takeBack(): Promise<void>;
  close: () => Promise<void>;
}

export async function openAttemptWorld(open: OpenAttempt): Promise<AttemptWorld> {
  const upstream = await startUpstream();
  const model = createAnthropicModel({ apiKey: KEY, baseUrl: upstream.url, provider: 'script', log: silent });
  const engine = await startEngine({ model });
  const hint = await dispatchedTask(engine);
  const { attempt, close } = await open({ ports: engine.ports, hint, upstream });
  const blob = async (key: string) => {
    const bytes = await engine.ports.blobs.get(key);
    return bytes === undefined ? undefined : new TextDecoder().decode(bytes);
  };
  return {
    engine,
    upstream,
    attempt,
    hint,
    blob,
    task: () => engine.task(hint.run, TASK),
    chunk: async (n) =>
      (await blob(blobKeys.transcript(TENANT, hint.run, TASK, 1, n)))?.trimEnd().split('\n'),
    takeBack: async () => {
      engine.clock.advance(engine.ports.policy.leaseMs + 1);
      await sweep(engine.ports);
      engine.clock.advance(engine.ports.policy.retryCapMs);
      const next = await claimTask(engine.ports, { ...hint, generation: 2 });
      if (next.outcome !== 'mine') throw new Error(`the next generation was not claimed: ${next.outcome}`);
    },
    close: async () => {
      await close();
      await engine.close();
      await upstream.stop();
    },
  };
}

/** A planned run up to where its one task waits for an executor. */
async function dispatchedTask(engine: Engine): Promise<TaskHint> {
  const plan = [
    {
      id: TASK,
      agent: AGENT,
      instructions: 'Say how it is to be built.',
      dependencies: [],
      acceptance: [],
      scope: [],
    },
  ];
  const run = await engine.submit({ plan });
  for (
    let sent = engine.mail.shift();
    sent !== undefined && sent.topic !== 'task-dispatched';
    sent = engine.mail.shift()
  ) {
    await engine.deliver(sent);
  }
  engine.mail.length = 0;
  return { v: 1, tenant: TENANT, run: run.id, task: TASK, generation: 1 };
}

const scripted = script.parse({
  name: 'contract',
  note: 'scripted by hand',
  turns: [
    {
      id: 'hello',
      agent: AGENT,
      when: { task: TASK, contains: ['Say hello'] },
      answer: { text: 'Hello.' },
      usage: { input: 100, output: 20, cacheRead: 3_000, cacheWrite: 400 },
    },
  ],
});

async function startUpstream(): Promise<Upstream> {
  const answers = await startScriptServer({ script: scripted });
  const line = createServer((request, response) => {
    passOn(upstream, answers.url, request, response).catch(() => response.destroy());
  });
  await new Promise<void>((resolve) => line.listen(0, '127.0.0.1', resolve));
  const upstream: Upstream = {
    url: `http://127.0.0.1:${portOf(line)}`,
    calls: [],
    onMessage: () => Promise.resolve(),
    isCut: false,
    stop: async () => {
      await closeServer(line);
      await answers.stop();
    },
  };
  return upstream;
}

async function passOn(
  upstream: Upstream,
  url: string,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const path = request.url ?? '/';
  const chunks: Buffer[] = [];
  for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
  const { authorization, 'x-api-key': apiKey } = request.headers;
  if ((apiKey ?? authorization) !== (apiKey === undefined ? `Bearer ${KEY}` : KEY))
    return void response.writeHead(401).end();
  upstream.calls.push(path);
  const isMessage = path.startsWith('/v1/messages') && !path.includes('count_tokens');
  if (isMessage) await upstream.onMessage();
  const answer = await fetch(`${url}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: Buffer.concat(chunks),
  });
  const text = await answer.text();
  response.writeHead(answer.status, { 'content-type': answer.headers.get('content-type') ?? '' });
  if (!isMessage || !upstream.isCut) return void response.end(text);
  // Before the provider says what it used.
  response.write(text.slice(0, text.indexOf('event: message_delta')));
  setTimeout(() => response.destroy(), 30);
}

export function closeServer(server: Pick<Server, 'close' | 'closeAllConnections'>): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}
