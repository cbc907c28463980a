import type { ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { StorageApiError, type Answer } from './storage-api-error.ts';
import type { StorageOperation } from './storage-operation.ts';

/** What goes wrong with a call. */
export interface StorageFailure {
  /**
   * A status; a broken connection; the right answer, but so late; a connection that breaks after so many bytes of the
   * content, whichever way it goes.
   */
  as: number | 'reset' | { lateMs: number } | { cutAfterBytes: number };
  /** It has its effect all the same. @default false for a status and a reset */
  isApplied?: boolean;
  /** Happens after the effect and before the answer. */
  meanwhile?: () => Promise<unknown>;
  /** @default 1 */
  times?: number;
}

/** A call that fails. */
export interface FailingCall {
  operation: StorageOperation;
  response: ServerResponse;
  /** Has the effect. */
  work: () => Promise<Answer>;
  readBody: () => Promise<Buffer>;
}

export interface Failures {
  add(operation: string, failure: StorageFailure): void;
  /** The oldest for the operation, which is used up. */
  next(operation: string): StorageFailure | undefined;
}

export function openFailures(): Failures {
  const waiting: { operation: string; failure: StorageFailure }[] = [];
  return {
    add(operation, failure) {
      waiting.push(...Array.from({ length: failure.times ?? 1 }, () => ({ operation, failure })));
    },
    next(name) {
      const at = waiting.findIndex(({ operation }) => operation === name);
      return at < 0 ? undefined : waiting.splice(at, 1)[0]?.failure;
    },
  };
}

/** Answers as the failure says, or does not answer. */
export async function fail(call: FailingCall, failure: StorageFailure): Promise<void> {
  const { as, isApplied = typeof as === 'object' } = failure;
  const answer = isApplied ? await call.work() : undefined;
  if (answer === undefined && as !== 'reset') await call.readBody();
  await failure.meanwhile?.();
  if (as === 'reset') call.response.destroy();
  else if (typeof as === 'number') {
    const error = new StorageApiError(as, MESSAGES[as] ?? `The stand-in was told to answer ${as}.`);
    send(call.response, call.operation.refuse(error));
  } else if (answer !== undefined) {
    if ('lateMs' in as) await sleep(as.lateMs, undefined, { ref: false });
    send(call.response, answer, cutOf(failure));
  }
}

const MESSAGES: Record<number, string> = {
  429: 'The object exceeded the rate limit for object mutation operations. Please reduce your request rate.',
  503: 'We encountered an internal error. Please try again.',
};

export function cutOf({ as }: StorageFailure): number | undefined {
  return typeof as === 'object' && 'cutAfterBytes' in as ? as.cutAfterBytes : undefined;
}

export function send(response: ServerResponse, answer: Answer, cutAfterBytes?: number): void {
  const { status, headers = {}, body = '' } = answer;
  response.writeHead(status, headers);
  if (cutAfterBytes === undefined) response.end(body);
  else response.write(Buffer.from(body).subarray(0, cutAfterBytes), () => response.destroy());
}
