import { PenstockError } from '../../ports/penstock-error.ts';
import type { Clock } from '../../ports/clock.ts';
import type { AgentMessage } from '../../messages/agent-message.ts';
import type { SteeringWords } from '../../messages/attempt-api.ts';
import { TERMINATION_MS } from './limits.ts';

/** Why an attempt may not go on. `stopped`: it lost its claim, or the run is over, and it must not even finish. */
export type SteeringEnd = 'stopped' | 'hard_limit' | 'terminated';

/** Something said to the agent from outside its conversation. */
export type Incoming = { from: 'person'; words: SteeringWords } | { from: 'agent'; message: AgentMessage };

/** What reaches a running attempt from outside. Timers and signals set it, the agent loop looks at it between turns. */
export interface Steering {
  /** Aborted when the attempt has to end at once; `ended` says why. */
  readonly signal: AbortSignal;
  readonly ended: SteeringEnd | undefined;
  stop(): void;
  requestWrapUp(): void;
  /** SIGTERM: wrap up, and end a few seconds later come what may. */
  terminate(): void;
  isWrapUpDue(): boolean;
  /** Aborted while words wait that break into what the agent is doing; another one once they are taken. */
  interruption(): AbortSignal;
  addMessages(messages: Incoming[]): void;
  hasMessages(): boolean;
  /** Each message once. */
  takeMessages(): Incoming[];
  /** Stops the timers. */
  close(): void;
}

export interface SteeringConfig {
  clock: Clock;
  limits: { wrapUpAt: number; hardLimitAt: number };
}

export function createSteering({ clock, limits }: SteeringConfig): Steering {
  const abort = new AbortController();
  const timers = new AbortController();
  let ended: SteeringEnd | undefined;
  let isWrapUpRequested = false;
  let messages: Incoming[] = [];
  let interruption = new AbortController();

  function end(reason: SteeringEnd, message: string): void {
    if (ended !== undefined) return;
    ended = reason;
    abort.abort(new PenstockError(reason === 'stopped' ? 'stale' : 'timeout', message));
  }

  function endAfter(ms: number, reason: SteeringEnd, message: string): void {
    clock.sleep(Math.max(ms, 0), timers.signal).then(
      () => end(reason, message),
      () => undefined,
    );
  }

  endAfter(limits.hardLimitAt - clock.now(), 'hard_limit', 'The attempt reached its hard time limit.');
  return {
    signal: abort.signal,
    get ended() {
      return ended;
    },
    stop: () => end('stopped', 'The attempt no longer holds its claim, or its run is over.'),
    requestWrapUp: () => void (isWrapUpRequested = true),
    terminate() {
      isWrapUpRequested = true;
      endAfter(TERMINATION_MS, 'terminated', 'The machine told the attempt to end.');
    },
    isWrapUpDue: () => isWrapUpRequested || clock.now() >= limits.wrapUpAt,
    interruption: () => interruption.signal,
    addMessages(more) {
      messages.push(...more);
      if (more.some((each) => each.from === 'person' && each.words.interrupts)) interruption.abort();
    },
    hasMessages: () => messages.length > 0,
    takeMessages() {
      const taken = messages;
      messages = [];
      if (interruption.signal.aborted) interruption = new AbortController();
      return taken;
    },
    close: () => timers.abort(),
  };
}
