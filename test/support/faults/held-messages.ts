import { setTimeout as sleep } from 'node:timers/promises';
import type { MessageFault } from './fault.ts';

type Send = () => Promise<void>;

/** What becomes of messages on their way out of one process. */
export interface HeldMessages {
  /** Its sender hears at once that it is out, whatever becomes of it. */
  mistreat(how: MessageFault, send: Send): Promise<void>;
  /** Sends one, and lets go what waits for the next one. */
  noted<T>(send: () => T): T;
  /** Resolves when none is held back any more. */
  released(): Promise<void>;
}

/** How long a message is held back, at most where it waits for another. */
const HOLD_MS = 1_500;

export function createHeldMessages(): HeldMessages {
  const held = new Set<Promise<void>>();
  let next = Promise.withResolvers<void>();

  /** A process that ends takes with it what it holds. */
  const hold = (until: Promise<unknown>, send: Send): Promise<void> => {
    const sent = until.then(send).catch(() => undefined);
    held.add(sent);
    void sent.finally(() => held.delete(sent));
    return Promise.resolve();
  };
  const tell = (): void => {
    next.resolve();
    next = Promise.withResolvers();
  };

  return {
    async mistreat(how, send) {
      switch (how) {
        case 'drop':
          return;
        case 'twice':
          await Promise.all([send(), send()]);
          return;
        case 'delay':
          return hold(sleep(HOLD_MS), send);
        case 'swap':
          return hold(Promise.race([next.promise, sleep(HOLD_MS)]), send);
      }
    },
    noted(send) {
      const result = send();
      void Promise.resolve(result).then(tell, () => undefined);
      return result;
    },
    async released() {
      while (held.size > 0) await Promise.all(held);
    },
  };
}
