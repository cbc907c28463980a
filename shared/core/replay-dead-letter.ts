import { type Message, topics, type Topic } from '../messages/topics.ts';
import { isTransient, PenstockError } from '../ports/penstock-error.ts';
import { change } from './change.ts';
import { type DeadLetter, MAX_REPLAYS, type MessageLetter, type Replay } from './dead-letter.ts';
import { findDeadLetter } from './find-dead-letter.ts';
import { forkRun } from './fork-run.ts';
import { publish } from './ports.ts';
import { refs } from './refs.ts';
import { retryRun } from './retry-run.ts';
import { isTerminal, type Stage } from './run.ts';
import type { SubmitPorts } from './submit-run.ts';

export interface ReplayRequest {
  tenant: string;
  id: string;
  by: string;
  /** The same again is the same replay. */
  key?: string;
}

/**
 * Tries again what was given up: a message is published again, for a task a new run takes over what had succeeded. Recorded
 * before it acts, so a replay that a crash interrupted is finished by the next call, under the same identity, and never begun twice.
 * @throws PenstockError `conflict` for a discarded letter, after {@link MAX_REPLAYS}, and where the run of a message has ended;
 * `refused` for a message that no topic takes.
 */
export async function replayDeadLetter(ports: SubmitPorts, request: ReplayRequest): Promise<DeadLetter> {
  const letter = await findDeadLetter(ports.store, request.tenant, request.id);
  if (repeated(letter, request)?.done === true) return letter;
  if (letter.kind === 'message') await checkMessage(ports, request.tenant, letter);
  const replay = await record(ports, request);
  if (replay.done) return findDeadLetter(ports.store, request.tenant, request.id);
  try {
    const run = await act(ports, request, { letter, replay });
    return await settle(ports, request, { ...replay, done: true, ...(run === undefined ? {} : { run }) });
  } catch (error) {
    if (!isTransient(error)) await withdraw(ports, request, replay);
    throw error;
  }
}

function repeated(letter: DeadLetter, { key }: ReplayRequest): Replay | undefined {
  return key === undefined ? undefined : letter.replays.find((replay) => replay.key === key);
}

/** The replay to be done: the one that is due already, or a new one. */
async function record(ports: SubmitPorts, request: ReplayRequest): Promise<Replay> {
  const { tenant, id, by, key } = request;
  const { data } = await change(ports.store, refs.deadLetter(tenant, id), (letter) => {
    if (letter.state === 'discarded')
      throw new PenstockError('conflict', `dead letter ${id} was discarded; retry or fork its run instead`);
    if (dueReplay(letter, request) !== undefined) return undefined;
    if (letter.replays.length >= MAX_REPLAYS) {
      throw new PenstockError(
        'conflict',
        `dead letter ${id} was replayed ${MAX_REPLAYS} times, which is the limit; fork its run with another instruction instead`,
      );
    }
    const n = letter.replays.length + 1;
    const replay = { n, by, at: ports.clock.now(), ...(key === undefined ? {} : { key }), done: false };
    return { data: { ...letter, replays: [...letter.replays, replay] } };
  });
  const due = dueReplay(data, request);
  if (due !== undefined) return due;
  throw new PenstockError('internal', `dead letter ${id} lost the replay that was just recorded`);
}

/** What this request asked for before, or what a crash left undone. */
function dueReplay(letter: DeadLetter, request: ReplayRequest): Replay | undefined {
  return repeated(letter, request) ?? letter.replays.find(({ done }) => !done);
}

async function act(
  ports: SubmitPorts,
  { tenant, id }: ReplayRequest,
  { letter, replay }: { letter: DeadLetter; replay: Replay },
): Promise<string | undefined> {
  if (letter.kind === 'task') {
    const again = { tenant, run: letter.run, actor: replay.by, key: `dead-letter/${id}/${replay.n}` };
    const { run } =
      letter.forkFrom === undefined
        ? await retryRun(ports, again)
        : await forkRun(ports, { ...again, task: letter.forkFrom });
    return run.id;
  }
  const { topic, message } = readMessage(tenant, letter);
  const { traceparent, priority, 'agent-type': pool } = letter.attributes;
  await publish(ports, topic, message, { traceparent, priority, pool });
  return undefined;
}

async function settle(ports: SubmitPorts, request: ReplayRequest, done: Replay): Promise<DeadLetter> {
  const { data } = await change(ports.store, refs.deadLetter(request.tenant, request.id), (letter) => {
    const others = letter.replays.filter(({ n }) => n !== done.n);
    const replays = [...others, done].toSorted((a, b) => a.n - b.n);
    return { data: { ...letter, state: 'replayed' as const, replays } };
  });
  return data;
}

/** It did nothing and never will: it does not count. */
async function withdraw(ports: SubmitPorts, request: ReplayRequest, undone: Replay): Promise<void> {
  await change(ports.store, refs.deadLetter(request.tenant, request.id), (letter) => {
    const replays = letter.replays.filter(({ n, done }) => n !== undone.n || done);
    return replays.length === letter.replays.length ? undefined : { data: { ...letter, replays } };
  });
}

/** A run that has ended takes no message; only what tells the outside of its end is still due then. */
async function checkMessage(ports: SubmitPorts, tenant: string, letter: MessageLetter): Promise<void> {
  const { topic } = readMessage(tenant, letter);
  if (letter.run === undefined || topic === 'notification-requested') return;
  const stage = (await ports.store.get(refs.run(tenant, letter.run)))?.data.stage;
  if (stage !== undefined && !isTerminal(stage)) return;
  throw new PenstockError('conflict', whyTooLate(letter.run, stage));
}

function whyTooLate(run: string, stage: Stage | undefined): string {
  if (stage === undefined) return `run ${run} of this message is gone; discard the letter`;
  const ended = `run ${run} of this message has ended ${stage} and takes no messages`;
  return stage === 'succeeded'
    ? `${ended}; discard the letter, or fork the run to do a task again`
    : `${ended}; retry the run instead, or fork it from one of its tasks`;
}

/** As its topic takes it; a message that it does not take now it did not take then. */
function readMessage(tenant: string, letter: MessageLetter): { topic: Topic; message: Message<Topic> } {
  const { topic } = letter;
  if (!isTopic(topic)) throw refused('its topic is not known');
  const { data: message } = topics[topic].safeParse(letter.message);
  if (message === undefined) throw refused(`it is not a ${topic} message`);
  if ('tenant' in message && message.tenant !== tenant) throw refused('it is of another tenant');
  return { topic, message };
}

function refused(why: string): PenstockError {
  return new PenstockError('refused', `the message cannot be replayed: ${why}; discard the letter`);
}

function isTopic(name: string): name is Topic {
  return Object.hasOwn(topics, name);
}
