import { describeHardware } from '../describe-machine.ts';
import { POOLS } from './pools.ts';

/** What the figures were measured on. */
export function describeCloud(): Promise<string[]> {
  const limits = Object.entries(POOLS).map(([pool, { max }]) => `${pool} ${max}`);
  return Promise.resolve([
    describeHardware(),
    `Google's Firestore and Pub/Sub emulators, push delivery, a process per function; pools as in local mode, set with PUT /api/tenants/local: ${limits.join(', ')}`,
  ]);
}
