import { createHash } from 'node:crypto';
import { validatePlan } from './plan/validate-plan.ts';
import { type StoredPlan, storePlan } from './plan/stored-plan.ts';
import { PenstockError } from '../ports/penstock-error.ts';
import type { Write } from '../ports/store.ts';
import type { PlanProposal } from '../messages/plan.ts';
import { appendHistory } from './history.ts';
import { type Policy, type Ports, publish } from './ports.ts';
import { refs } from './refs.ts';
import { BRANCH_PREFIX, DIRECT, type Origin, type Priority, type Run, type Target } from './run.ts';
import { tooManyRuns } from './too-many-runs.ts';
import { expiredLicence } from './tenant.ts';

export type SubmitPorts = Pick<
  Ports,
  'store' | 'queue' | 'blobs' | 'clock' | 'ids' | 'agents' | 'policy' | 'settings' | 'trace'
>;

/** A requirement that has been authenticated and checked. */
export interface Submission {
  tenant: string;
  title: string;
  requirement: string;
  /** With a `baseSha` it is pinned already, and `contract` says what holds there. */
  target?: Omit<Target, 'headBranch'>;
  contract?: Run['contract'];
  origin: Origin;
  project?: string;
  driver?: string;
  flags?: Record<string, boolean>;
  priority: Priority;
  budgetMicroUsd?: number;
  dryRun: boolean;
  plan?: PlanProposal & Partial<Omit<StoredPlan, 'tasks'>>;
  taskRun?: Run['taskRun'];
  forkedFrom?: Run['forkedFrom'];
}

/** The same key names the same run; the same key with another body is refused. */
export interface Idempotency {
  key: string;
  body: unknown;
}

const KEY = /^[\x21-\x7E]{1,200}$/;

/**
 * A caller's `Idempotency-Key`, one for each kind of request.
 * @throws PenstockError `invalid` for what is no key.
 */
export function idempotencyOf(kind: string, key: string | undefined, body: unknown): SubmitOptions {
  if (key === undefined) return {};
  if (KEY.test(key)) return { idempotency: { key: `${kind}/${key}`, body } };
  throw new PenstockError('invalid', 'an Idempotency-Key has 1 to 200 visible ASCII characters');
}

export interface SubmitOptions {
  idempotency?: Idempotency;
  /** What is committed with the run. */
  also?: (run: Run) => Write[];
}

/**
 * Records the run, then publishes `run-accepted`. Calls nobody.
 * @throws PenstockError `invalid` with all reasons at once for a plan that cannot be executed; `rate_limited` while as many runs are
 * live as the tenant may have (a repeated request is answered all the same).
 */
export async function submitRun(
  ports: SubmitPorts,
  submission: Submission,
  options: SubmitOptions = {},
): Promise<{ run: Run; duplicate: boolean }> {
  const { idempotency, also } = options;
  const requestHash = idempotency === undefined ? undefined : hashJson(idempotency.body);
  const { tenant } = submission;
  const refusal = (await expiredLicence(ports, tenant)) ?? (await tooManyRuns(ports, tenant));
  if (refusal !== undefined) {
    const id = idempotency === undefined ? undefined : idOfKey(submission.tenant, idempotency.key);
    const isRepeat =
      id !== undefined && (await ports.store.get(refs.run(submission.tenant, id))) !== undefined;
    if (isRepeat) return repeated(ports, submission.tenant, id, requestHash);
    throw refusal;
  }
  for (let tries = 0; tries < MAX_ID_TRIES; tries += 1) {
    const id = idempotency === undefined ? ports.ids.short() : idOfKey(submission.tenant, idempotency.key);
    const run = await newRun(ports, id, submission, requestHash);
    if ((await recordRun(ports, run, also?.(run) ?? [])) === 'recorded') return { run, duplicate: false };
    if (idempotency !== undefined) return repeated(ports, submission.tenant, id, requestHash);
  }
  throw new PenstockError('conflict', 'no free run id was found; send the request again', { retry: 'later' });
}

/** Short ids may collide; each try takes a new one. */
const MAX_ID_TRIES = 4;

/** The run, and what is due with it, in one commit; then its message. */
export async function recordRun(
  ports: SubmitPorts,
  run: Run,
  also: Write[],
): Promise<'recorded' | 'conflict'> {
  const { outcome } = await ports.store.commit([
    { op: 'create', ref: refs.run(run.tenant, run.id), data: run },
    ...also,
  ]);
  if (outcome === 'conflict') return 'conflict';
  await announce(ports, run);
  return 'recorded';
}

/** While a run is still `accepted` its message may have been lost, so whoever meets it again publishes it again. */
export async function announce(ports: Pick<Ports, 'queue' | 'trace'>, run: Run): Promise<void> {
  if (run.stage === 'accepted')
    await publish(ports, 'run-accepted', { v: 1, tenant: run.tenant, run: run.id }, run);
}

async function repeated(
  ports: SubmitPorts,
  tenant: string,
  id: string,
  requestHash: string | undefined,
): Promise<{ run: Run; duplicate: boolean }> {
  const existing = (await ports.store.get(refs.run(tenant, id)))?.data;
  if (existing === undefined) {
    throw new PenstockError('conflict', `run ${id} could not be recorded; send the request again`, {
      retry: 'later',
    });
  }
  if (existing.requestHash !== requestHash) {
    throw new PenstockError(
      'conflict',
      `this Idempotency-Key belongs to run ${id} with another body; use a new key`,
    );
  }
  await announce(ports, existing);
  return { run: existing, duplicate: true };
}

/** A run as it is first stored; its given plan is checked and stored before it. */
export async function newRun(
  ports: SubmitPorts,
  id: string,
  submission: Submission,
  requestHash?: string,
): Promise<Run> {
  const at = ports.clock.now();
  const { tenant, target, contract, plan, taskRun, forkedFrom } = submission;
  const settings = await ports.settings(tenant);
  const limitMicroUsd = submission.budgetMicroUsd ?? settings.defaultBudgetMicroUsd;
  const traceparent = ports.trace.current();
  const givenPlan = plan === undefined ? undefined : await storeGivenPlan(ports, { tenant, id }, plan);
  return {
    v: 1,
    id,
    tenant,
    title: submission.title.slice(0, 200),
    requirement: submission.requirement,
    targets: target === undefined ? [] : [{ ...target, headBranch: `${BRANCH_PREFIX}${id}` }],
    origin: submission.origin,
    ...(submission.project === undefined ? {} : { project: submission.project }),
    driver: driverOf(ports.policy, submission.driver),
    ...(submission.flags === undefined ? {} : { flags: submission.flags }),
    priority: submission.priority,
    dryRun: submission.dryRun,
    pins: {
      configHash: settings.hash,
      version: ports.policy.version,
      agentsHash: hashJson([...ports.agents.values()].map((a) => a.contentHash)),
    },
    budget: { limitMicroUsd },
    // Whoever comments at a code host sets nothing aside before somebody has asked whether they may.
    chargedMicroUsd: submission.origin.login === undefined ? limitMicroUsd : 0,
    ...(givenPlan === undefined ? {} : { givenPlan }),
    ...(contract === undefined ? {} : { contract }),
    stage: 'accepted',
    paused: false,
    ...(forkedFrom === undefined ? {} : { forkedFrom }),
    steering: [],
    mail: 0,
    changeOrder: [],
    reviews: [],
    fixRounds: 0,
    integrations: 0,
    heads: [],
    ...(requestHash === undefined ? {} : { requestHash }),
    ...(taskRun === undefined ? {} : { taskRun }),
    unsettledOutside: target?.host === 'github',
    createdAt: at,
    updatedAt: at,
    checkedAt: at,
    ...(traceparent === undefined ? {} : { traceparent }),
    history: appendHistory([], { at, state: 'accepted', by: submission.origin.kind }),
  };
}

async function storeGivenPlan(
  ports: SubmitPorts,
  run: { tenant: string; id: string },
  plan: NonNullable<Submission['plan']>,
): Promise<NonNullable<Run['givenPlan']>> {
  const verdict = validatePlan(plan, ports.agents, ports.policy);
  if (!verdict.ok) {
    throw new PenstockError('invalid', 'the plan cannot be executed', { reasons: verdict.reasons });
  }
  const { summary = 'given by the caller', filesRead = 0 } = plan;
  return storePlan(ports, run, { summary, tasks: verdict.tasks, filesRead });
}

function driverOf({ drivers, defaultDriver }: Policy, name = defaultDriver): string {
  const known = [DIRECT, ...drivers];
  if (known.includes(name)) return name;
  throw new PenstockError('invalid', `there is no driver '${name}'; known drivers: ${known.join(', ')}`);
}

function idOfKey(tenant: string, key: string): string {
  return BigInt(`0x${createHash('sha256').update(`${tenant}\n${key}`).digest('hex').slice(0, 24)}`)
    .toString(36)
    .padStart(12, '0')
    .slice(0, 12);
}

function hashJson(value: unknown): string {
  return createHash('sha256').update(JSON.stringify(value)).digest('hex');
}
