import { createHash } from 'node:crypto';
import type { Write } from '../../ports/store.ts';
import type { Ports } from '../ports.ts';
import { type DeliveryRecord, refs } from '../refs.ts';
import { isTerminal } from '../run.ts';
import { type LedgerEntry, ledgerWrite } from './ledger.ts';

/** An issue that is opened with our label is told twice, as opened and as labelled, in either order; the second comes within this. */
const LABEL_PAIR_MS = 60_000;

/** The issue that a label was put on. */
export interface LabelledIssue {
  tenant: string;
  installationId: number;
  repository: string;
  number: number;
}

/** The label may start a run, whose entry is to be written with it; or why it starts none. */
export type LabelClaim = { write: (entry: LedgerEntry) => Write } | { reason: string };

/**
 * Whether the label on an issue starts a run: not while the one that it started is live, nor right after that. `write` is for the
 * run's own commit, which is a `conflict` where another delivery has claimed the label since.
 */
export async function claimLabel(
  { store, clock }: Pick<Ports, 'store' | 'clock'>,
  issue: LabelledIssue,
): Promise<LabelClaim> {
  const id = labelId(issue);
  const known = await store.get(refs.delivery(id));
  if (known === undefined || !(await holds({ store, clock }, known.data)))
    return { write: (entry) => ledgerWrite(clock, id, entry, known?.version) };
  const { repository, number } = issue;
  const reason = `the label on issue ${number} of ${repository} has started run ${known.data.run ?? ''} already; comment "/penstock run" on the issue to start another`;
  return { reason };
}

async function holds(
  { store, clock }: Pick<Ports, 'store' | 'clock'>,
  { tenant, run, receivedAt }: DeliveryRecord,
): Promise<boolean> {
  if (clock.now() - receivedAt < LABEL_PAIR_MS) return true;
  const named =
    tenant === undefined || run === undefined ? undefined : await store.get(refs.run(tenant, run));
  return named !== undefined && !isTerminal(named.data.stage);
}

function labelId({ tenant, installationId, repository, number }: LabelledIssue): string {
  const name = JSON.stringify([tenant, installationId, repository.toLowerCase(), number]);
  return `l-${createHash('sha256').update(name).digest('hex')}`;
}
