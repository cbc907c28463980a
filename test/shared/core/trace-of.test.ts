import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { dispatchTask } from '../../../shared/core/dispatch-task.ts';
import { followTask } from '../../../shared/core/follow-task.ts';
import { keepMessageLetter } from '../../../shared/core/keep-message-letter.ts';
import type { Ports } from '../../../shared/core/ports.ts';
import { lettersOf } from '../../../shared/core/refs.ts';
import { replayDeadLetter } from '../../../shared/core/replay-dead-letter.ts';
import { submitRun } from '../../../shared/core/submit-run.ts';
import { sweep } from '../../../shared/core/sweep.ts';
import { parseTraceparent } from '../../../shared/ports/traceparent.ts';
import { DONE, type Engine, POLICY, startEngine, SUBMISSION, TENANT } from '../../support/engine.ts';

const traceparentOf = (n: number): string => `00-${String(n).padStart(32, '0')}-${'0'.repeat(15)}${n}-00`;
const [MINE, OTHER] = [traceparentOf(1), traceparentOf(2)];
const ONE_TASK = [{ id: 'only', agent: 'project_architect', instructions: 'Do it.' }];

describe('What follows from a record', () => {
  let engine: Engine;
  /** Topic, run and trace of each message. */
  let sent: { topic: string; run: string | undefined; trace: string | undefined }[];
  let ports: Ports;
  /** While a task holds the one place there is. */
  let meanwhile: () => Promise<void>;
  beforeEach(async () => {
    meanwhile = () => Promise.resolve();
    engine = await startEngine({
      policy: { pools: { ...POLICY.pools, core: { min: 0, max: 1 } } },
      play: async () => {
        await meanwhile();
        return DONE;
      },
    });
    sent = [];
    ports = {
      ...engine.ports,
      queue: {
        ...engine.ports.queue,
        publish: async (topic, message, options) => {
          const { run, traceparent } = options?.attributes ?? {};
          sent.push({ topic, run, trace: parseTraceparent(traceparent)?.traceId });
          await engine.ports.queue.publish(topic, message, options);
        },
      },
    };
  });
  afterEach(() => engine.close());

  const within = <T>(parent: string, work: () => Promise<T>): Promise<T> =>
    engine.ports.trace.span({ name: 'test', parent }, work);
  const traceId = (traceparent: string) => parseTraceparent(traceparent)?.traceId;
  /** An executing run of the trace, its task dispatched. */
  const executing = async (parent: string): Promise<string> => {
    const { id } = await within(parent, () => engine.submit({ plan: ONE_TASK }));
    const accepted = engine.mail.pop();
    if (accepted === undefined) throw new Error('nothing was published');
    await engine.deliver(accepted);
    return id;
  };

  it('is of no trace where it was accepted outside every one', async () => {
    const { run } = await submitRun(ports, SUBMISSION);
    expect(run).not.toHaveProperty('traceparent');
    expect(sent).toEqual([{ topic: 'run-accepted', run: run.id, trace: undefined }]);
    await within(OTHER, () => sweep(ports, { runCheckMs: 0 }));
    expect(sent.at(-1)).toEqual({ topic: 'run-accepted', run: run.id, trace: traceId(OTHER) });
  });

  it('is of the trace that it was accepted in, also when it is submitted again in another', async () => {
    const options = { idempotency: { key: 'k', body: {} } };
    const { run } = await within(MINE, () => submitRun(ports, SUBMISSION, options));
    expect(run.traceparent).toBe(MINE);
    await within(OTHER, () => submitRun(ports, SUBMISSION, options));
    expect(sent.map(({ trace }) => trace)).toEqual([traceId(MINE), traceId(MINE)]);
  });

  it('names the span that is under way where that is of its trace', async () => {
    const task = await engine.task(await executing(MINE), 'only');
    const deeper = MINE.replace(/1-00$/, '7-00');
    let attributes: Record<string, string> | undefined;
    const queue = {
      ...ports.queue,
      publish: (_: string, __: object, given?: { attributes?: Record<string, string> }) =>
        Promise.resolve(void (attributes = given?.attributes)),
    };
    await within(deeper, () => dispatchTask({ ...ports, queue }, task));
    expect(attributes).toMatchObject({ traceparent: deeper });
    await within(OTHER, () => dispatchTask({ ...ports, queue }, task));
    expect(attributes).toMatchObject({ traceparent: MINE });
  });

  it('stays in its trace when a sweep finds it', async () => {
    const [mine, other] = [await executing(MINE), await executing(OTHER)];
    engine.mail.length = 0;
    await within(traceparentOf(3), () => sweep(ports, { runCheckMs: 0 }));
    expect(sent).toEqual(
      expect.arrayContaining([
        { topic: 'task-dispatched', run: mine, trace: traceId(MINE) },
        { topic: 'task-dispatched', run: other, trace: traceId(OTHER) },
      ]),
    );
  });

  it('stays in its trace when a place becomes free in another', async () => {
    const [mine, other] = [await executing(MINE), await executing(OTHER)];
    const [first, second] = engine.mail.splice(0);
    if (first === undefined || second === undefined) throw new Error('nothing was dispatched');
    meanwhile = () => engine.deliver(second);
    await engine.deliver(first);
    expect((await engine.task(other, 'only')).state).toBe('ready');
    sent.length = 0;
    await within(MINE, () =>
      followTask(ports, { v: 1, tenant: TENANT, run: mine, task: 'only', generation: 1 }),
    );
    expect(sent).toContainEqual({ topic: 'task-dispatched', run: other, trace: traceId(OTHER) });
  });

  it('is told to whoever works on it', async () => {
    const told: (string | undefined)[] = [];
    const other = await startEngine({
      work: async (open) => {
        told.push((await open()).attempt.brief.traceparent);
        return DONE;
      },
    });
    await other.ports.trace.span({ name: 'test', parent: MINE }, () => other.submit({ plan: ONE_TASK }));
    await other.submit({ plan: ONE_TASK });
    await other.drain();
    expect(told).toEqual([MINE, undefined]);
    await other.close();
  });

  it('goes on in the trace of a message that is replayed', async () => {
    const run = await executing(MINE);
    const message = { v: 1, tenant: TENANT, run };
    const attributes = { tenant: TENANT, run, traceparent: MINE };
    await keepMessageLetter(ports, {
      topic: 'run-accepted',
      subscription: 'decomposition',
      messageId: 'm',
      message,
      attributes,
      error: 'it broke',
    });
    const letters = await ports.store.query({ from: { collection: lettersOf(TENANT) }, limit: 1 });
    const id = letters.documents[0]?.ref.id ?? '';
    await within(OTHER, () => replayDeadLetter(ports, { tenant: TENANT, id, by: 'dana' }));
    expect(sent).toEqual([{ topic: 'run-accepted', run, trace: traceId(MINE) }]);
  });
});
