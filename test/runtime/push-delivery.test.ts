import { afterAll, beforeAll, expect, it, jest } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { agentExecution } from '../../functions/agent-execution/agent-execution.ts';
import { api } from '../../functions/api/api.ts';
import { deadLetters } from '../../functions/dead-letters/dead-letters.ts';
import { decomposition } from '../../functions/decomposition/decomposition.ts';
import { notification } from '../../functions/notification/notification.ts';
import { resultHandling } from '../../functions/result-handling/result-handling.ts';
import type { DeadLetter } from '../../shared/core/dead-letter.ts';
import { type Ports, publish } from '../../shared/core/ports.ts';
import { lettersOf, refs } from '../../shared/core/refs.ts';
import { isTerminal, type Run } from '../../shared/core/run.ts';
import { readTasks } from '../../shared/core/run-tasks.ts';
import { submitRun } from '../../shared/core/submit-run.ts';
import { sweep } from '../../shared/core/sweep.ts';
import type { Task } from '../../shared/core/task.ts';
import type { AttemptResultInput } from '../../shared/messages/attempt-api.ts';
import type { TaskHint } from '../../shared/messages/topics.ts';
import { PenstockError } from '../../shared/ports/penstock-error.ts';
import { functionProcess } from '../support/cluster/function-process.ts';
import { freePorts } from '../support/cluster/free-ports.ts';
import { type Emulators, startEmulators } from '../support/emulators.ts';
import { SUBMISSION } from '../support/engine.ts';
import { group } from '../support/groups.ts';
import { openHttpDoor } from './function-door.ts';
import { type CollectedSpan, startSpanCollector } from '../support/span-collector.ts';
import { eventually, openPushWorld, type PushWorld } from './push-world.ts';
import { proposed, TENANT } from './seed.ts';

/** Pub/Sub knows no shorter deadline, and the emulator waits seconds before it delivers again. */
jest.setTimeout(300_000);
const ACK_DEADLINE_SECONDS = 10;
const LONGER_THAN_THE_DEADLINE_MS = 12_000;
/** What was acknowledged is handled by then, and what it published too. */
const SETTLED_MS = 1_500;
/** The emulator delivers again after three seconds at the latest. */
const NEVER_AGAIN_MS = 4_000;
const DONE: AttemptResultInput = { outcome: 'succeeded', summary: 'done' };

group('emulators')('A message that Pub/Sub pushes', () => {
  let emulators: Emulators;
  const worlds: PushWorld[] = [];
  beforeAll(async () => {
    // The functions framework prints what a function throws; here it is thrown on purpose.
    jest.spyOn(console, 'error').mockImplementation(() => undefined);
    emulators = await startEmulators();
  });
  afterAll(async () => {
    for (const world of worlds) await world.close();
    await emulators.stop();
    jest.restoreAllMocks();
  });

  const open = async (env: Record<string, string> = {}): Promise<PushWorld> => {
    const world = await openPushWorld(emulators, env);
    worlds.push(world);
    return world;
  };

  /** A test that begins together with all others, because each waits for the emulator most of its time. */
  const meanwhile = (body: () => Promise<void>): (() => Promise<void>) => {
    let failure: Promise<unknown>;
    beforeAll(() => {
      failure = body().then(
        () => undefined,
        (error: unknown) => error,
      );
    });
    return async () => {
      const error = await failure;
      if (error !== undefined) throw error;
    };
  };

  it(
    'changes nothing that it has changed already: delivered twice at once, later, or again by its publisher',
    meanwhile(async () => {
      const world = await open();
      const worked: string[] = [];
      const again: (() => Promise<number>)[] = [];
      const ports = working(world.ports, async (hint) => {
        worked.push(hint);
        await sleep(100);
        return DONE;
      });
      const between = async (handOn: () => Promise<number>): Promise<number> => {
        again.push(handOn);
        const [first, second] = await Promise.all([handOn(), handOn()]);
        return Math.max(first, second);
      };
      for (const fn of [decomposition, agentExecution, resultHandling]) {
        await world.subscribe(fn, { between, ports });
      }
      const { id } = await submit(world);
      const run = await ended(world, id);
      expect(run.stage).toBe('succeeded');
      await quiet(() => again.length);
      const before = await records(world, id);

      expect(await Promise.all(again.splice(0).map((handOn) => handOn()))).not.toContain(500);
      for (const task of await readTasks(world.ports.store, TENANT, id)) {
        await publish(world.ports, 'task-dispatched', { ...hintOf(task), generation: 1 }, task);
        await publish(world.ports, 'task-finished', { ...hintOf(task), generation: 1 }, task);
      }
      await quiet(() => again.length);
      expect(await records(world, id)).toEqual(before);
      expect(worked.toSorted()).toEqual(['first/1', 'second/1']);
    }),
  );

  it(
    'is older than its task: nothing is done for a generation that is over',
    meanwhile(async () => {
      const world = await open();
      const worked: string[] = [];
      const ports = working(world.ports, (hint) => {
        worked.push(hint);
        const failure = { code: 'network', message: 'the line was cut' } as const;
        return Promise.resolve(hint === 'first/1' ? { outcome: 'failed', failure } : DONE);
      });
      for (const fn of [decomposition, resultHandling]) await world.subscribe(fn, { ports });
      const pushes = await world.subscribe(agentExecution, { ports });
      const { id } = await submit(world, [proposed('first')]);
      const waits = await eventually('the retry', async () => {
        const task = await taskOf(world, id, 'first');
        return task?.state === 'pending' && task.attempts.length === 1 ? task : undefined;
      });
      await publish(world.ports, 'task-dispatched', { ...hintOf(waits), generation: 1 }, waits);
      await quiet(() => pushes.count());
      expect(worked).toEqual(['first/1']);
      await sweep(world.ports);
      expect((await ended(world, id)).stage).toBe('succeeded');
      const before = await records(world, id);
      await publish(world.ports, 'task-dispatched', { ...hintOf(waits), generation: 1 }, waits);
      await publish(world.ports, 'task-finished', { ...hintOf(waits), generation: 1 }, waits);
      await quiet(() => pushes.count());
      expect(await records(world, id)).toEqual(before);
      expect(worked).toEqual(['first/1', 'first/2']);
    }),
  );

  it(
    'is kept for a person, acknowledged and not delivered again where it can never be handled',
    meanwhile(async () => {
      const world = await open();
      const { store } = world.ports;
      const refused = new PenstockError('forbidden', 'the key was withdrawn; set a new one');
      const ports: Ports = {
        ...world.ports,
        store: { ...store, get: (ref) => (ref.id === 'first' ? Promise.reject(refused) : store.get(ref)) },
      };
      const pushes = await world.subscribe(agentExecution, { ports });
      const ids = [
        await world.publish('task-dispatched', 'not json', { tenant: TENANT }),
        await world.publish('task-dispatched', '[1,2]', { tenant: TENANT }),
        await world.publish('task-dispatched', '{"v":2,"tenant":"local"}', { tenant: TENANT }),
        await world.publish('task-dispatched', '', { tenant: TENANT }),
        await world.publish(
          'task-dispatched',
          JSON.stringify({ v: 1, tenant: TENANT, run: 'gone1234', task: 'first', generation: 1 }),
          { tenant: TENANT, run: 'gone1234' },
        ),
      ];
      await eventually('all letters', async () =>
        (await letters(world)).length >= ids.length ? true : undefined,
      );
      await quiet(() => pushes.count(), NEVER_AGAIN_MS);
      expect(pushes.answers).toEqual(ids.map(() => 204));
      const kept = await letters(world);
      expect(kept.map((letter) => ('messageId' in letter ? letter.messageId : '')).toSorted()).toEqual(
        ids.toSorted(),
      );
      for (const letter of kept) {
        expect(letter).toMatchObject({
          state: 'open',
          topic: 'task-dispatched',
          subscription: 'agent-execution',
        });
      }
      expect(kept.map(({ error }) => error)).toContain(refused.message);
    }),
  );

  it(
    'comes again where its work takes longer than its deadline, meets the claimed attempt and changes nothing',
    meanwhile(async () => {
      const world = await open();
      const worked: string[] = [];
      const ports = working(world.ports, async (hint) => {
        worked.push(hint);
        await sleep(LONGER_THAN_THE_DEADLINE_MS);
        return DONE;
      });
      for (const fn of [decomposition, resultHandling]) await world.subscribe(fn);
      const pushes = await world.subscribe(agentExecution, {
        ports,
        ackDeadlineSeconds: ACK_DEADLINE_SECONDS,
      });
      const { id } = await submit(world, [proposed('first')]);
      expect((await ended(world, id)).stage).toBe('succeeded');
      await quiet(() => pushes.count(), NEVER_AGAIN_MS);
      expect(pushes.count()).toBeGreaterThan(1);
      expect(pushes.answers).not.toContain(500);
      expect(worked).toEqual(['first/1']);
      expect(await taskOf(world, id, 'first')).toMatchObject({
        state: 'succeeded',
        attempts: [{ generation: 1 }],
      });
    }),
  );

  it(
    'becomes one record where no delivery succeeds, which an operator replays once the reason is gone',
    meanwhile(async () => {
      const world = await open();
      const { store } = world.ports;
      let isAway = true;
      const away = new PenstockError('unavailable', 'the store is away', { retry: 'later' });
      const ports: Ports = {
        ...world.ports,
        store: { ...store, get: (ref) => (isAway ? Promise.reject(away) : store.get(ref)) },
      };
      const pushes = await world.subscribe(notification, { ports, maxDeliveryAttempts: 5 });
      const forwarded = await world.subscribe(deadLetters, {
        between: async (handOn) => Math.max(...(await Promise.all([handOn(), handOn()]))),
      });
      const run = await submit(world);
      await publish(world.ports, 'notification-requested', { v: 1, tenant: TENANT, run: run.id }, run);
      const [letter] = await eventually('the letter', async () => {
        const kept = await letters(world);
        return kept.length > 0 ? kept : undefined;
      });
      await quiet(() => forwarded.count(), NEVER_AGAIN_MS);
      expect(pushes.answers).toEqual([500, 500, 500, 500, 500]);
      expect(await letters(world)).toHaveLength(1);
      expect(letter).toMatchObject({
        state: 'open',
        topic: 'notification-requested',
        subscription: 'notification',
        message: { v: 1, tenant: TENANT, run: run.id },
        run: run.id,
      });

      isAway = false;
      const door = await openHttpDoor(api, world.runtime);
      const post = (path: string) =>
        fetch(`${door.url}/api/dead-letters/${path}`, {
          method: 'POST',
          headers: { 'content-type': 'application/json', 'idempotency-key': 'k' },
          body: '{}',
        });
      const [id] = await letterIds(world);
      expect((await post(`${id}/replay`)).status).toBe(202);
      expect((await post(`${id}/replay`)).status).toBe(202);
      await eventually('the replay', () => (pushes.answers.length > 5 ? true : undefined));
      await quiet(() => pushes.count());
      expect(pushes.answers.slice(5)).toEqual([204]);
      expect(await letters(world)).toMatchObject([{ state: 'replayed', replays: [{ n: 1, done: true }] }]);
      expect((await post(`${id}/discard`)).status).toBe(409);
      await door.close();
    }),
  );

  it(
    'ends its run where no delivery succeeds, and leaves a letter to be discarded but not replayed',
    meanwhile(async () => {
      const world = await open();
      const { store } = world.ports;
      const away = new PenstockError('unavailable', 'the host is away', { retry: 'later' });
      const broken: Ports = { ...world.ports, store: { ...store, get: () => Promise.reject(away) } };
      await world.subscribe(decomposition, { ports: broken, maxDeliveryAttempts: 5 });
      await world.subscribe(deadLetters);
      const { id } = await submit(world);
      expect(await ended(world, id)).toMatchObject({ stage: 'failed', reason: { code: 'dead_letter' } });
      const door = await openHttpDoor(api, world.runtime);
      const post = (path: string) =>
        fetch(`${door.url}/api/dead-letters/${path}`, {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: '{}',
        });
      const [letter] = await letterIds(world);
      const refusal = await post(`${letter}/replay`);
      expect(refusal.status).toBe(409);
      expect(await refusal.text()).toContain('retry the run instead');
      expect((await post(`${letter}/discard`)).status).toBe(202);
      expect(await letters(world)).toMatchObject([{ state: 'discarded', run: id }]);
      await door.close();
    }),
  );

  it(
    'goes on in the trace of its run, from push to push and into the attempt',
    meanwhile(async () => {
      const collector = await startSpanCollector();
      const world = await open({ OTEL_EXPORTER_OTLP_ENDPOINT: collector.url });
      const { trace } = world.ports;
      const ports = working(world.ports, () => Promise.resolve(DONE));
      for (const fn of [decomposition, agentExecution, resultHandling]) await world.subscribe(fn, { ports });
      const traceId = '4bf92f3577b34da6a3ce929d0e0e4736';
      const parent = `00-${traceId}-00f067aa0ba902b7-01`;
      const { id } = await trace.span({ name: 'webhook', parent }, () => submit(world));
      expect((await ended(world, id)).traceparent).toContain(traceId);
      await trace.close();
      const spans = collector.spans();
      expect(spans.filter((span) => span.traceId === traceId)).toHaveLength(spans.length);
      const attempt = spans.find(
        ({ name, attributes }) => name === 'attempt' && attributes['task'] === 'second',
      );
      expect(pathTo(attempt, spans)).toEqual([
        'webhook',
        'decomposition',
        'agent-execution',
        'agent-execution',
        'attempt',
      ]);
      await collector.stop();
    }),
  );

  const source = fileURLToPath(new URL('crashing-function.ts', import.meta.url));
  const points = [
    ['before its claim', { begun: 1, attempts: 1 }],
    ['while it works', { begun: 2, attempts: 2 }],
    ['before it says that it is done', { begun: 1, attempts: 1 }],
  ] as const;
  for (const [point, { begun, attempts }] of points) {
    it(
      `is done once by the next process where its function dies ${point}`,
      meanwhile(async () => {
        const world = await open();
        const [port = 0] = await freePorts(1);
        const program = functionProcess({
          name: 'agent-execution',
          source,
          signature: 'cloudevent',
          port,
          env: {
            ...world.environment,
            PENSTOCK_LEASE_SECONDS: '2',
            PENSTOCK_RENEW_SECONDS: '1',
            CRASH_AT: point,
            CRASH_FOLDER: world.folder,
          },
          logFile: join(world.folder, 'log'),
        });
        await program.start();
        try {
          for (const fn of [decomposition, resultHandling]) await world.subscribe(fn);
          const pushes = await world.subscribe(agentExecution, { url: `http://127.0.0.1:${port}` });
          const { id } = await submit(world, [proposed('first')]);
          await eventually('the crash', () => (pushes.answers.includes(503) ? true : undefined));
          await program.start();
          const run = await eventually('the end of the run', async () => {
            await sweep(world.ports);
            const found = await runOf(world, id);
            return isTerminal(found.stage) ? found : undefined;
          });
          expect(run.stage).toBe('succeeded');
          expect(run.history.filter(({ state }) => state === 'succeeded')).toHaveLength(1);
          const task = await taskOf(world, id, 'first');
          expect(task).toMatchObject({ state: 'succeeded' });
          expect(task?.attempts).toHaveLength(attempts);
          expect(readFileSync(join(world.folder, 'begun'), 'utf8')).toHaveLength(begun);
          expect(pushes.answers).toContain(204);
        } finally {
          await program.kill();
        }
      }),
    );
  }
});

/** Names of a span and of all above it, the first of them first. */
function pathTo(span: CollectedSpan | undefined, spans: CollectedSpan[]): string[] {
  if (span === undefined) return [];
  const parent = spans.find(({ spanId }) => spanId === span.parentSpanId);
  return [...pathTo(parent, spans), span.name];
}

/** Ports whose worker is told which attempt it works on. */
function working(ports: Ports, work: (attempt: string) => Promise<AttemptResultInput>): Ports {
  return {
    ...ports,
    work: async (open) => {
      const { task, generation } = (await open()).attempt.brief;
      return work(`${task}/${generation}`);
    },
  };
}

function submit(
  world: PushWorld,
  tasks = [proposed('first'), proposed('second', { dependencies: ['first'] })],
) {
  return submitRun(world.ports, { ...SUBMISSION, plan: { tasks } }).then(({ run }) => run);
}

async function runOf({ ports }: PushWorld, id: string): Promise<Run> {
  const found = await ports.store.get(refs.run(TENANT, id));
  if (found === undefined) throw new Error(`there is no run ${id}`);
  return found.data;
}

async function taskOf({ ports }: PushWorld, run: string, id: string): Promise<Task | undefined> {
  return (await ports.store.get(refs.task(TENANT, run, id)))?.data;
}

function ended(world: PushWorld, id: string): Promise<Run> {
  return eventually('the end of the run', async () => {
    const run = await runOf(world, id);
    return isTerminal(run.stage) ? run : undefined;
  });
}

/** The run and its tasks, as they stand. */
async function records(world: PushWorld, id: string): Promise<object> {
  return { run: await runOf(world, id), tasks: await readTasks(world.ports.store, TENANT, id) };
}

function hintOf({ tenant, run, id }: Task): Omit<TaskHint, 'generation'> {
  return { v: 1, tenant, run, task: id };
}

async function letterIds({ ports }: PushWorld): Promise<string[]> {
  const page = await ports.store.query<DeadLetter>({ from: { collection: lettersOf(TENANT) }, limit: 20 });
  return page.documents.map(({ ref }) => ref.id);
}

async function letters({ ports }: PushWorld): Promise<DeadLetter[]> {
  const page = await ports.store.query<DeadLetter>({ from: { collection: lettersOf(TENANT) }, limit: 20 });
  return page.documents.map(({ data }) => data);
}

/** Resolves when the count has not changed for this long. */
async function quiet(count: () => number, ms = SETTLED_MS): Promise<void> {
  for (let before = -1; before !== count();) {
    before = count();
    await sleep(ms);
  }
}
