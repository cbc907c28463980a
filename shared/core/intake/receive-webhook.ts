import { MAX_COMMIT_WRITES, type Write } from '../../ports/store.ts';
import { PenstockError } from '../../ports/penstock-error.ts';
import type { Policy } from '../ports.ts';
import { type DeliveryRecord, type Installation, refs } from '../refs.ts';
import { announceOffers, type CommentAnswer, offerAnswer } from '../decisions/offer-answer.ts';
import { announce, newRun, recordRun, type Submission, type SubmitPorts } from '../submit-run.ts';
import { expiredLicence } from '../tenant.ts';
import { tooManyRuns } from '../too-many-runs.ts';
import { claimLabel, type LabelledIssue } from './claim-label.ts';
import { decideWebhook, readPayload, type WebhookDecision, type WebhookPayload } from './decide-webhook.ts';
import { installationWrites } from './installation-writes.ts';
import { type LedgerEntry, ledgerIds, ledgerWrites } from './ledger.ts';
import { wakeJudgedRuns } from './wake-judged-runs.ts';

export interface Webhook {
  event: string;
  deliveryId: string;
  rawBody: Uint8Array;
  payload: unknown;
}

export interface WebhookReceipt {
  outcome: DeliveryRecord['outcome'] | 'duplicate';
  reason: string;
  runId?: string;
}

const DELIVERY_ID = /^[A-Za-z0-9._-]{1,100}$/;

/** A webhook whose signature holds: recorded once, by delivery and by body, together with what it starts. Calls nobody. */
export async function receiveWebhook(ports: SubmitPorts, webhook: Webhook): Promise<WebhookReceipt> {
  const payload = readPayload(webhook.payload);
  if (!DELIVERY_ID.test(webhook.deliveryId) || payload === undefined) {
    throw new PenstockError(
      'invalid',
      `delivery ${webhook.deliveryId.slice(0, 100)} is not a GitHub webhook; check X-GitHub-Delivery and the body`,
    );
  }
  const tenancy = await findTenant(ports, payload);
  const seen = await findDuplicate(ports, webhook);
  if (seen !== undefined) return seen;
  const decision = await admit(ports, decideWebhook(webhook.event, payload), tenancy);
  const due = oncePerDocument([...tenancy.writes, ...installationWrites(payload, decision, tenancy.tenant)]);
  const writes = await commitAllBut(ports, MAX_WRITES_WITH_LEDGER, due);
  const tenant = tenancy.tenant ?? '';
  if (decision.outcome === 'run') return startRun(ports, webhook, { payload, decision, tenant, writes });
  if (decision.outcome === 'answer')
    return keepAnswer(ports, webhook, { payload, answer: decision.answer, tenant, writes });
  const receipt = await record(ports, webhook, payload, decision, tenancy.tenant, writes);
  if (decision.outcome === 'recorded' && decision.judged !== undefined && tenancy.tenant !== undefined)
    await wakeJudgedRuns(ports, tenancy.tenant, decision.judged);
  return receipt;
}

/** A commit names each document once; the later write knows more. */
function oncePerDocument(writes: Write[]): Write[] {
  return [...new Map(writes.map((write) => [`${write.ref.collection}/${write.ref.id}`, write])).values()];
}

/** Beside the ledger and a run in one commit of at most {@link MAX_COMMIT_WRITES}. */
const MAX_WRITES_WITH_LEDGER = 400;

/** What does not fit into the delivery's own commit goes before it: repeating it after a crash changes nothing. */
async function commitAllBut(ports: SubmitPorts, kept: number, writes: Write[]): Promise<Write[]> {
  let rest = writes;
  while (rest.length > kept) {
    const batch = rest.slice(0, Math.min(MAX_COMMIT_WRITES, rest.length - kept));
    await ports.store.commit(batch);
    rest = rest.slice(batch.length);
  }
  return rest;
}

interface Tenancy {
  tenant: string | undefined;
  /** It came through an installation that belongs to no tenant. */
  unbound: boolean;
  suspended: boolean;
  writes: Write[];
}

/** Installation → tenant. An installation seen for the first time is bound where the policy says so of its account. */
async function findTenant(
  ports: SubmitPorts,
  { installation, repository }: WebhookPayload,
): Promise<Tenancy> {
  if (installation === undefined) return { tenant: undefined, unbound: false, suspended: false, writes: [] };
  const ref = refs.installation(installation.id);
  const known = (await ports.store.get(ref))?.data;
  const account = installation.account?.login ?? repository?.full_name.split('/')[0] ?? '';
  const tenant = known?.tenant ?? (isOurs(ports.policy, account) ? ports.policy.defaultTenant : undefined);
  if (tenant === undefined) return { tenant, unbound: true, suspended: false, writes: [] };
  const fresh: Installation = { v: 1, id: installation.id, tenant, account, suspended: false };
  return {
    tenant,
    unbound: false,
    suspended: known?.suspended ?? false,
    writes: known === undefined ? [{ op: 'set', ref, data: fresh }] : [],
  };
}

function isOurs({ githubAccounts }: Policy, account: string): boolean {
  return githubAccounts === 'any' || githubAccounts.includes(account.toLowerCase());
}

async function admit(
  ports: SubmitPorts,
  decision: WebhookDecision,
  { tenant, unbound, suspended }: Tenancy,
): Promise<WebhookDecision> {
  if (decision.outcome === 'ignored') return decision;
  if (unbound) return { outcome: 'ignored', reason: 'the installation belongs to no tenant; bind it first' };
  if (tenant === undefined || (decision.outcome !== 'run' && decision.outcome !== 'answer')) return decision;
  if (suspended) return { outcome: 'ignored', reason: 'the installation is suspended' };
  if (decision.outcome === 'answer') return decision;
  const refusal = (await expiredLicence(ports, tenant)) ?? (await tooManyRuns(ports, tenant));
  return refusal === undefined ? decision : { outcome: 'ignored', reason: refusal.message };
}

/** A redelivery, or the same signed body under another delivery id. Its run's message may have been lost. */
async function findDuplicate(ports: SubmitPorts, webhook: Webhook): Promise<WebhookReceipt | undefined> {
  const entries = await ports.store.getMany(ledgerIds(webhook).map((id) => refs.delivery(id)));
  const entry = entries.find((found) => found !== undefined)?.data;
  if (entry === undefined) return undefined;
  const run =
    entry.run === undefined || entry.tenant === undefined
      ? undefined
      : await ports.store.get(refs.run(entry.tenant, entry.run));
  if (run !== undefined && entry.outcome === 'run') await announce(ports, run.data);
  else if (run !== undefined) await announceOffers(ports, { tenant: run.data.tenant, run: run.data.id });
  return {
    outcome: 'duplicate',
    reason: entry.reason,
    ...(entry.run === undefined ? {} : { runId: entry.run }),
  };
}

/** Deliveries about the same issue or decision at the same moment are few. */
const MAX_TRIES = 4;

interface RunStart {
  payload: WebhookPayload;
  decision: Extract<WebhookDecision, { outcome: 'run' }>;
  tenant: string;
  writes: Write[];
}

/** The run, its delivery and, where a label asked for it, that this issue's label has its run: in one commit. */
async function startRun(ports: SubmitPorts, webhook: Webhook, start: RunStart): Promise<WebhookReceipt> {
  const { payload, decision, tenant, writes } = start;
  const action = payload.action ?? '';
  const reason = `${webhook.event}.${action}`;
  for (let tries = 0; tries < MAX_TRIES; tries += 1) {
    const claim = decision.by === 'label' ? await claimLabel(ports, issueOf(start)) : undefined;
    if (claim !== undefined && 'reason' in claim)
      return record(ports, webhook, payload, { outcome: 'ignored', reason: claim.reason }, tenant, writes);
    const run = await newRun(ports, ports.ids.short(), submissionOf(webhook, start));
    const { event } = webhook;
    const entry: LedgerEntry = { event, action, outcome: 'run', reason, tenant, run: run.id };
    const ledger = ledgerWrites(ports.clock, webhook, entry);
    const claimed = claim === undefined ? [] : [claim.write(entry)];
    if ((await recordRun(ports, run, [...ledger, ...claimed, ...writes])) === 'recorded')
      return { outcome: 'run', reason, runId: run.id };
    const seen = await findDuplicate(ports, webhook);
    if (seen !== undefined) return seen;
  }
  return raced(ports, webhook);
}

function issueOf({ payload, decision, tenant }: RunStart): LabelledIssue {
  const { number } = decision.issue;
  return { tenant, number, ...repositoryOf(payload) };
}

function repositoryOf({ repository, installation }: WebhookPayload) {
  return { repository: repository?.full_name ?? '', installationId: installation?.id ?? 0 };
}

function submissionOf({ deliveryId }: Webhook, { payload, decision, tenant }: RunStart): Submission {
  const { title, requirement, login, issue, dryRun } = decision;
  return {
    tenant,
    title,
    requirement,
    target: { host: 'github', ...repositoryOf(payload) },
    origin: { kind: 'github', actor: `github:${login}`, login, issue, delivery: deliveryId },
    priority: 'normal',
    dryRun,
  };
}

/** What a comment answers is kept at its decision, in the delivery's own commit; decomposition asks who may answer. */
async function keepAnswer(
  ports: SubmitPorts,
  webhook: Webhook,
  kept: { payload: WebhookPayload; answer: CommentAnswer; tenant: string; writes: Write[] },
): Promise<WebhookReceipt> {
  const { payload, answer, tenant, writes } = kept;
  const action = payload.action ?? '';
  for (let tries = 0; tries < MAX_TRIES; tries += 1) {
    const offered = await offerAnswer(ports, tenant, answer);
    if ('reason' in offered) {
      const { reason } = offered;
      return record(ports, webhook, payload, { outcome: 'ignored', reason }, tenant, writes);
    }
    const { decision } = offered;
    const reason = `an answer to decision ${decision.id}`;
    const { event } = webhook;
    const entry = { event, action, outcome: 'recorded', reason, tenant, run: decision.run } as const;
    const ledger = ledgerWrites(ports.clock, webhook, entry);
    const { outcome } = await ports.store.commit([...ledger, ...oncePerDocument([...writes, offered.write])]);
    if (outcome === 'committed') {
      await announceOffers(ports, decision);
      return { outcome: 'recorded', reason, runId: decision.run };
    }
    const seen = await findDuplicate(ports, webhook);
    if (seen !== undefined) return seen;
  }
  return raced(ports, webhook);
}

async function record(
  ports: SubmitPorts,
  webhook: Webhook,
  payload: WebhookPayload,
  decision: Exclude<WebhookDecision, { outcome: 'run' | 'answer' }>,
  tenant: string | undefined,
  writes: Write[],
): Promise<WebhookReceipt> {
  const outcome = decision.outcome === 'ignored' ? 'ignored' : 'recorded';
  const reason =
    decision.outcome === 'installation' ? `${webhook.event}.${payload.action ?? ''}` : decision.reason;
  const entry = {
    event: webhook.event,
    action: payload.action ?? '',
    outcome,
    reason,
    ...(tenant === undefined ? {} : { tenant }),
  } as const;
  const result = await ports.store.commit([...ledgerWrites(ports.clock, webhook, entry), ...writes]);
  return result.outcome === 'committed' ? { outcome, reason } : raced(ports, webhook);
}

/** Another process recorded the same delivery in between. */
async function raced(ports: SubmitPorts, webhook: Webhook): Promise<WebhookReceipt> {
  const seen = await findDuplicate(ports, webhook);
  if (seen !== undefined) return seen;
  throw new PenstockError(
    'conflict',
    `delivery ${webhook.deliveryId} could not be recorded; deliver it again`,
    { retry: 'later' },
  );
}
