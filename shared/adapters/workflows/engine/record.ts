import { Raised, systemError } from '../errors.ts';
import type { CallbackBox } from './callback-box.ts';
import type { BeganEntry, DoneEntry, Journal, JournalEntry, RaisedEntry } from './journal.ts';
import { createScheduler } from './scheduler.ts';
import type { Services } from './services.ts';
import { type Answer, answerOf, type Suspend, unwrap } from './suspend.ts';
import { decodeValue, encodeValue } from './value-codec.ts';

export interface RecordConfig {
  readonly id: string;
  readonly journal: Journal;
  readonly services: Services;
  readonly callbacks: CallbackBox;
  /** Ends the execution. */
  fail: (error: unknown) => void;
  /** Stops it where it stands: what happens could not be written down. */
  halt: (error: unknown) => void;
  isOver: () => boolean;
}

/** The calls of one execution, each made once and answered from what was written down ever after. */
export interface Recorded {
  readonly suspend: Suspend;
  enter: () => void;
  leave: () => void;
  /** Takes in what was written down; a fiber has entered before. */
  replay(entries: readonly JournalEntry[]): void;
  stop: () => void;
}

export function createRecord(config: RecordConfig): Recorded {
  const { id, journal, services, callbacks, fail, halt, isOver } = config;
  /** Names of the calls that were answered before, and those that were begun. */
  const answered = new Map<string, string>();
  const begun = new Map<string, BeganEntry>();
  let free: (() => void) | undefined;
  function release(): void {
    free?.();
    free = undefined;
  }

  const scheduler = createScheduler<Answer>({
    onBusy() {
      if (!isOver()) free ??= services.clock.busy?.();
    },
    onIdle: release,
    onStray: (key) =>
      fail(systemError(`the answer ${key} that was written down belongs to no call of this workflow`)),
  });

  function write(entry: JournalEntry): boolean {
    try {
      journal.append(id, entry);
      return true;
    } catch (error) {
      halt(error);
      return false;
    }
  }

  const suspend: Suspend = async (fiber, name, perform) => {
    const key = `${fiber.id}/${fiber.calls}`;
    fiber.calls += 1;
    const known = answered.get(key);
    answered.delete(key);
    if (known !== undefined && known !== name)
      fail(systemError(`the answer ${key} that was written down is that of ${known}, not of ${name}`));
    if (known === undefined && !isOver()) {
      const began = begun.get(key);
      let detail: Pick<DoneEntry, 'endpoint' | 'took'> = {};
      const context = {
        key,
        ...(began === undefined ? {} : { began }),
        begin: (more: { dueMs?: number } = {}): void => void write({ type: 'began', key, name, ...more }),
        note: (more: typeof detail): void => void (detail = { ...detail, ...more }),
      };
      const onAnswer = (answer: Answer): void => {
        if (!isOver() && write(entryOf(answer, { key, name, detail })))
          scheduler.arrive({ key, value: answer });
      };
      answerOf(() => perform(context), { onAnswer, onFault: fail });
    }
    return unwrap(await scheduler.wait(key));
  };

  function replay(entries: readonly JournalEntry[]): void {
    const open = new Map<string, Extract<JournalEntry, { type: 'callback' }>>();
    for (const entry of entries) {
      if (entry.type === 'began') begun.set(entry.key, entry);
      if (entry.type === 'callback') open.set(entry.request, entry);
      if (entry.type !== 'done' && entry.type !== 'raised') continue;
      answered.set(entry.key, entry.name);
      begun.delete(entry.key);
      scheduler.arrive({ key: entry.key, value: answerIn(entry) });
      if (entry.type === 'done' && entry.endpoint !== undefined) callbacks.open(entry.endpoint);
      if (entry.type === 'done' && entry.took !== undefined) open.delete(entry.took);
    }
    for (const { endpoint, request, value } of open.values())
      callbacks.put(endpoint, { id: request, value: decodeValue(value) });
  }

  /** Time goes on for the others, also when a fiber is stopped while it runs. */
  function stop(): void {
    scheduler.stop();
    release();
  }

  return { suspend, enter: scheduler.enter, leave: scheduler.leave, replay, stop };
}

function entryOf(
  answer: Answer,
  { key, name, detail }: { key: string; name: string; detail: Pick<DoneEntry, 'endpoint' | 'took'> },
): DoneEntry | RaisedEntry {
  if ('value' in answer) return { type: 'done', key, name, value: encodeValue(answer.value), ...detail };
  const { value, isFatal } = answer.raised;
  return { type: 'raised', key, name, value: encodeValue(value), isFatal };
}

function answerIn(entry: DoneEntry | RaisedEntry): Answer {
  const value = decodeValue(entry.value);
  return entry.type === 'done' ? { value } : { raised: new Raised(value, entry.isFatal) };
}
