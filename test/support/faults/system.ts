import type { Store } from '../../../shared/ports/store.ts';
import type { EmulatorFault } from './fault.ts';

/** The platform of one schedule, whatever it is composed of: what an operator does with it, and what a judge may know. */
export interface System {
  /** Where GitHub delivers. */
  url: string;
  /** Starts what has died. Resolves when all of it answers, or has died again. */
  revive(): Promise<void>;
  /** Whether nothing is left to deliver, waiting a while for it. */
  isIdle(): Promise<boolean>;
  /** Sweeps that have begun so far. */
  sweeps(): number;
  /** Its records, for reading; `undefined` while there are none. */
  records(): Store | undefined;
  /** Lets an emulator fail, where there is one; resolves when it is back. */
  breakDown(how: EmulatorFault): Promise<void>;
  /** What of it still runs besides the platform itself. */
  stragglers(): string[];
  stop(): Promise<void>;
}

export interface SystemOptions {
  /** Of the schedule: records, logs and orders. */
  folder: string;
  /** GitHub, and whatever else the platform is told. */
  env: Record<string, string>;
  modelUrl: string;
  /** Negative control: the platform cannot look up what it wrote. */
  isBlind: boolean;
  /** Leases are so many times as long. */
  patience: number;
}

/** Short, for who waits for them after a fault; long enough for a job's start on a machine that is busy with other work. */
export const leases = (seconds: number): Record<string, string> => ({
  PENSTOCK_LEASE_SECONDS: String(seconds),
  PENSTOCK_RENEW_SECONDS: '1',
  PENSTOCK_START_SECONDS: String(seconds * 1.25),
  PENSTOCK_RETRY_BASE_SECONDS: '0.1',
});
