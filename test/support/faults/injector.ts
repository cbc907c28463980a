import {
  appendFileSync,
  closeSync,
  existsSync,
  openSync,
  readdirSync,
  readFileSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { PenstockError } from '../../../shared/ports/penstock-error.ts';
import type { CallPoint, Fault } from './fault.ts';
import { createHeldMessages } from './held-messages.ts';

/** What every process of a schedule is told. */
export interface FaultOrders {
  /** Of the schedule: its orders, and notes of calls and faults. It is each process's `PENSTOCK_DATA`. */
  folder: string;
  faults: readonly Fault[];
}

export type RecordedCall = CallPoint;

const ordersFile = (folder: string): string => join(folder, 'orders.json');
const callsFile = (folder: string): string => join(folder, 'calls.ndjson');
const FIRED_PREFIX = 'fired-';
const firedFile = (folder: string, index: number): string => join(folder, `${FIRED_PREFIX}${index}`);

export function writeOrders({ folder, faults }: FaultOrders): void {
  writeFileSync(ordersFile(folder), JSON.stringify(faults));
}

/** Those of this process. */
export function readOrders(): FaultOrders {
  const folder = process.env['PENSTOCK_DATA'] ?? '';
  return { folder, faults: JSON.parse(readFileSync(ordersFile(folder), 'utf8')) as Fault[] };
}

/** Which faults of calls came to pass; each does once, in whatever process comes there first. */
export function firedFaults({ folder, faults }: FaultOrders): Fault[] {
  return faults.filter((_, index) => existsSync(firedFile(folder, index)));
}

/** How many of them. */
export function countFired(folder: string): number {
  return readdirSync(folder).filter((name) => name.startsWith(FIRED_PREFIX)).length;
}

export function readCalls(folder: string): RecordedCall[] {
  const text = existsSync(callsFile(folder)) ? readFileSync(callsFile(folder), 'utf8') : '';
  return text.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line) as RecordedCall]));
}

/** Asked also by a sweep that finds nothing to do. */
const ASKED_IN_VAIN = /"call":"(?:(?:store|queue|workflows)\.|GET [^"]*\/executions)/;

/** Calls so far that only work makes: whoever makes one is not stuck, however slow the machine is. */
export function countWork(folder: string): number {
  const text = existsSync(callsFile(folder)) ? readFileSync(callsFile(folder), 'utf8') : '';
  return text.split('\n').filter((line) => line !== '' && !ASKED_IN_VAIN.test(line)).length;
}

/** Does a call, notes it, and does with it what the orders say. Calls that may fail, and messages, answer promises. */
export type Around = <T>(call: string, act: () => T) => T;

export interface Injector {
  around: Around;
  /** By how much the clock of this process is ahead now. */
  aheadMs(): number;
  /** Resolves when no message is held back any more. */
  released(): Promise<void>;
}

/** More than any lease of an attempt, less than the claim of an effect; and for longer than sweeps are apart. */
const EARLY_MS = 60_000;
const EARLY_FOR_MS = 1_500;

/** Counts the calls of this process by name, and breaks those that the orders name. */
export function createInjector({ folder, faults }: FaultOrders, self: string): Injector {
  const log = openSync(callsFile(folder), 'a');
  const counts = new Map<string, number>();
  const messages = createHeldMessages();
  let aheadUntil = 0;
  process.once('exit', () => closeSync(log));

  /** Claims a fault for this process; nobody has it twice. */
  const fire = (fault: Fault): boolean => {
    try {
      writeFileSync(firedFile(folder, faults.indexOf(fault)), '', { flag: 'wx' });
      return true;
    } catch {
      return false;
    }
  };

  const withFault = (fault: Fault, call: string, act: () => unknown): unknown => {
    if (fault.kind === 'kill' && fault.when === 'after') return followed(act, () => fire(fault) && die());
    if (!fire(fault)) return act();
    switch (fault.kind) {
      case 'kill':
        return die();
      case 'clock':
        aheadUntil = performance.now() + EARLY_FOR_MS;
        return act();
      case 'message':
        return messages.mistreat(fault.how, act as () => Promise<void>);
      case 'fail': {
        const lost = new PenstockError('unavailable', `${call} got no answer`, { retry: 'later' });
        const first = fault.when === 'after' ? (act() as Promise<unknown>) : Promise.resolve();
        return first.then(() => Promise.reject(lost));
      }
      default:
        // Whoever holds the stand-ins sees that it is time.
        return act();
    }
  };

  return {
    around: <T>(call: string, act: () => T): T => {
      const nth = (counts.get(call) ?? 0) + 1;
      counts.set(call, nth);
      appendFileSync(log, `${JSON.stringify({ process: self, call, nth } satisfies RecordedCall)}\n`);
      const due = faults.filter(
        (fault) => 'call' in fault && fault.process === self && fault.call === call && fault.nth === nth,
      );
      const plain: () => unknown = call === 'queue.publish' ? () => messages.noted(act) : act;
      return due.reduce<() => unknown>((inner, fault) => () => withFault(fault, call, inner), plain)() as T;
    },
    aheadMs: () => (performance.now() < aheadUntil ? EARLY_MS : 0),
    released: () => messages.released(),
  };
}

/** `after` when the call has its outcome, good or bad, and before its caller hears of it. */
function followed<T>(act: () => T, after: () => void): T {
  const result = act();
  if (result instanceof Promise) return result.finally(after) as T;
  after();
  return result;
}

function die(): never {
  process.kill(process.pid, 'SIGKILL');
  // A signal to oneself may be a moment under way; nothing more of this process may happen.
  for (;;) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
}
