import { createHash } from 'node:crypto';
import type { Clock } from '../../ports/clock.ts';
import type { Write } from '../../ports/store.ts';
import { type DeliveryRecord, refs } from '../refs.ts';

/** What of a delivery tells it from every other. */
export interface Delivery {
  deliveryId: string;
  rawBody: Uint8Array;
}

/** What becomes of a delivery. */
export type LedgerEntry = Omit<DeliveryRecord, 'v' | 'receivedAt'>;

/** How long a delivery is remembered. GitHub redelivers for 3 days. */
const LEDGER_MS = 30 * 24 * 60 * 60_000;

/** By delivery id and by body. */
export function ledgerIds({ deliveryId, rawBody }: Delivery): [string, string] {
  return [`d-${deliveryId}`, `b-${createHash('sha256').update(rawBody).digest('hex')}`];
}

/** That a delivery was received; a `conflict` where it is recorded already. */
export function ledgerWrites(clock: Clock, delivery: Delivery, entry: LedgerEntry): Write[] {
  return ledgerIds(delivery).map((id) => ledgerWrite(clock, id, entry));
}

/** An entry by its id, in place of the one of that version, or else of none. */
export function ledgerWrite(clock: Clock, id: string, entry: LedgerEntry, ifVersion?: string): Write {
  const receivedAt = clock.now();
  const data: DeliveryRecord = { v: 1, ...entry, receivedAt };
  const record = { ref: refs.delivery(id), data, expireAt: receivedAt + LEDGER_MS };
  return ifVersion === undefined ? { op: 'create', ...record } : { op: 'set', ...record, ifVersion };
}
