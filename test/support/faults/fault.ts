import type { GithubRoute } from './github-faults.ts';

/** Which side of a call: before it is made, or when it has its outcome and its caller does not know it yet. */
export type Side = 'before' | 'after';

/** One call of one process. */
export interface CallPoint {
  /** `host`, a function's name, or `job` and its attempt, such as `job fix/1`. */
  process: string;
  /** Such as `store.commit` or `POST /internal/attempts/finish`. */
  call: string;
  /** The how manieth call of that name since its process began, from 1. */
  nth: number;
}

/** `swap`: delivered after the next message that its process publishes. */
export type MessageFault = 'drop' | 'twice' | 'delay' | 'swap';
/** `slow`: no answer before the deadline; `garbage`: no answer of the protocol; `cut`: half an answer; `nonsense`: a whole answer that is none. */
export type ModelFault = 'rate_limit' | 'overloaded' | 'error' | 'slow' | 'garbage' | 'cut' | 'nonsense';
/** `limit`: 403, the secondary rate limit; `unavailable`: 502; `lost`: 502 after the call was carried out. */
export type GithubFault = 'limit' | 'unavailable' | 'lost';
/** `restart`: Pub/Sub, and all its messages are gone. `pause`: Firestore answers nobody for some seconds; `stall`: for longer than its clients wait, and then does what it was asked. */
export type EmulatorFault = 'restart' | 'pause' | 'stall';

export type Fault =
  /** The process ends there, as by SIGKILL. */
  | ({ kind: 'kill'; when: Side } & CallPoint)
  /** The call of the port throws `unavailable`; `after`: although it was carried out. */
  | ({ kind: 'fail'; when: Side } & CallPoint)
  | ({ kind: 'message'; how: MessageFault } & CallPoint)
  /** From there on the clock of that process is ahead by more than any lease, for about one sweep. */
  | ({ kind: 'clock' } & CallPoint)
  /** So many calls of the model in a row, from the nth. */
  | { kind: 'model'; how: ModelFault; nth: number; times: number }
  /** The nth request of that route. */
  | { kind: 'github'; how: GithubFault; route: GithubRoute; nth: number }
  /** Soon after that call. */
  | ({ kind: 'emulator'; how: EmulatorFault } & CallPoint);

/** One line for people. */
export function faultText(fault: Fault): string {
  switch (fault.kind) {
    case 'kill':
      return `kill ${fault.when} ${pointText(fault)}`;
    case 'fail':
      return `fail ${fault.when} ${pointText(fault)}`;
    case 'message':
      return `${fault.how} the message of ${pointText(fault)}`;
    case 'clock':
      return `clock ahead at ${pointText(fault)}`;
    case 'model':
      return `model answers ${fault.how} to call ${fault.nth}${fault.times > 1 ? ` and ${fault.times - 1} more` : ''}`;
    case 'github':
      return `GitHub answers ${fault.how} to ${fault.route} no. ${fault.nth}`;
    default:
      return `${fault.how} of an emulator after ${pointText(fault)}`;
  }
}

function pointText({ process, call, nth }: CallPoint): string {
  return `${call} no. ${nth} of ${process}`;
}
