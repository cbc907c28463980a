import { Raised } from '../errors.ts';
import type { Value } from '../values.ts';
import type { Fiber } from './fiber.ts';
import type { BeganEntry, DoneEntry } from './journal.ts';

/** What a call is told and may write down. */
export interface CallContext {
  readonly key: string;
  /** It began before, in a process that ended without an answer. */
  readonly began?: BeganEntry;
  /** Writes down that it begins now. */
  begin: (detail?: { dueMs: number }) => void;
  /** Adds to what is written down with its answer. */
  note: (detail: Pick<DoneEntry, 'endpoint' | 'took'>) => void;
}

export type Perform = (context: CallContext) => Value | Promise<Value>;

/**
 * Makes a call whose answer is written down. In a replay it is not made again: its answer is that of the first time.
 *
 * @throws Raised what the call raised
 */
export type Suspend = (fiber: Fiber, name: string, perform: Perform) => Promise<Value>;

/** The end of a call. */
export type Answer = { readonly value: Value } | { readonly raised: Raised };

export function unwrap(answer: Answer): Value {
  if ('value' in answer) return answer.value;
  throw answer.raised;
}

/** The answer of a call; what is not a `Raised` is a fault of this program, and goes to `onFault`. */
export function answerOf(
  perform: () => Value | Promise<Value>,
  { onAnswer, onFault }: { onAnswer: (answer: Answer) => void; onFault: (error: unknown) => void },
): void {
  const failed = (error: unknown): void => {
    if (error instanceof Raised) onAnswer({ raised: error });
    else onFault(error);
  };
  let given: Value | Promise<Value>;
  try {
    given = perform();
  } catch (error) {
    failed(error);
    return;
  }
  if (given instanceof Promise) given.then((value) => onAnswer({ value }), failed);
  else onAnswer({ value: given });
}
