import { isDeepStrictEqual } from 'node:util';
import { advanceRun } from '../advance-run.ts';
import { change } from '../change.ts';
import { dispatchTask } from '../dispatch-task.ts';
import { askAboutRun } from '../decisions/ask-about-run.ts';
import { handBack } from '../drivers/hand-back.ts';
import { mayBegin } from '../drivers/may-begin.ts';
import { newTask, type NewTask } from '../plan/plan-tasks.ts';
import { isTransient, PenstockError } from '../../ports/penstock-error.ts';
import type { Versioned } from '../../ports/store.ts';
import { refs } from '../refs.ts';
import type { Run } from '../run.ts';
import { readTasks } from '../run-tasks.ts';
import { endRun, notify, settleRun } from '../settle-run.ts';
import { spentMicroUsd, type Task } from '../task.ts';
import type { IntegrationPorts } from './integration-ports.ts';
import { ciOfRun } from './ci-of-run.ts';
import { decideIntegration, type IntegrationStep } from './decide-integration.ts';
import { fixInstructions } from './fix-instructions.ts';
import { publishChangeSet } from './publish-change-set.ts';
import { markReady } from './publish-pull-request.ts';
import { readCi } from './read-ci.ts';

/** Shares of what is left of the budget: a fix may cost as much as work does, a review reads once. */
const FIX_SHARE = 0.5;
const REVIEW_SHARE = 0.4;

/** Brings a run that has all its change sets one step further towards its pull request. Idempotent. A paused run waits. */
export async function integrateRun(ports: IntegrationPorts, tenant: string, runId: string): Promise<void> {
  const found = await ports.store.get(refs.run(tenant, runId));
  if (found === undefined) return;
  if (found.data.stage === 'cancelling') return settleRun(ports, tenant, runId);
  if (found.data.paused || found.data.decision !== undefined) return;
  const tasks = await readTasks(ports.store, tenant, runId);
  // A person has answered that it is not to go on.
  const { reason } = found.data;
  if (reason !== undefined) return endRun(ports, found.data, 'failed', { reason, tasks });
  try {
    const ci = await readCi(ports, found.data, tasks);
    const step = decideIntegration(found.data, tasks, { policy: ports.policy, ci });
    await take(ports, found, { tasks, step, ci: ciOfRun(found.data, ci) });
  } catch (error) {
    if (isTransient(error) || !(error instanceof PenstockError)) throw error;
    await endRun(ports, found.data, 'failed', {
      reason: { code: error.code, message: error.message },
      tasks,
    });
  }
}

interface NextStep {
  tasks: Task[];
  step: IntegrationStep;
  /** What readers are told of CI. */
  ci: Run['ci'] | undefined;
}

async function take(
  ports: IntegrationPorts,
  found: Versioned<Run>,
  { tasks, step, ci }: NextStep,
): Promise<void> {
  const run = found.data;
  switch (step.step) {
    case 'wait':
      return redispatch(ports, step.tasks);
    case 'integrate':
      return addIntegration(ports, found);
    case 'fix':
      return addFix(ports, withCi(found, ci), tasks, step);
    case 'publish':
      if (!mayBegin(run, 'review')) return handBack(ports, run, 'review');
      return publishAndReview(ports, found, tasks, step.integration);
    case 'await_ci':
      return awaitCi(ports, found, { until: step.until, ci });
    case 'finish':
      return mayBegin(run, 'close') ? finish(ports, run, tasks) : handBack(ports, run, 'close');
    case 'fail':
      return endRun(ports, run, 'failed', { reason: step.reason, tasks });
  }
}

/** Events tell of CI that has begun; whether it has is looked at again by the sweep. Who waits with it is told once for each state. */
async function awaitCi(
  ports: IntegrationPorts,
  found: Versioned<Run>,
  { until, ci }: { until: number | undefined; ci: Run['ci'] | undefined },
): Promise<void> {
  const look = (run: Run) => {
    const isKnown = run.ciLookAt === until && isDeepStrictEqual(run.ci, ci);
    if (run.stage !== 'awaiting_review' || isKnown) return undefined;
    const { ciLookAt: _before, ...rest } = run;
    const next = until === undefined ? rest : { ...rest, ciLookAt: until };
    return { data: ci === undefined ? next : { ...next, ci } };
  };
  const before = found.data.ci;
  const { data, changed } = await change(ports.store, found.ref, look, found);
  if (changed && (before?.head !== ci?.head || before?.state !== ci?.state)) await notify(ports, data);
}

/** What is red is remembered with the round that mends it. */
function withCi(found: Versioned<Run>, ci: Run['ci'] | undefined): Versioned<Run> {
  return ci?.state === 'red' ? { ...found, data: { ...found.data, ci } } : found;
}

async function finish(ports: IntegrationPorts, run: Run, tasks: Task[]): Promise<void> {
  const pullRequest = await markReady(ports, run, tasks);
  await endRun(ports, run, 'succeeded', {
    tasks,
    ...(pullRequest === undefined ? {} : { facts: { pullRequest } }),
  });
}

/** Tasks of this stage that nobody has claimed yet: their dispatch may have been lost. */
async function redispatch(ports: IntegrationPorts, tasks: Task[]): Promise<void> {
  const due = tasks.filter((task) => task.state === 'pending' && task.notBefore <= ports.clock.now());
  await Promise.all(due.map((task) => dispatchTask(ports, task)));
}

async function addIntegration(ports: IntegrationPorts, found: Versioned<Run>): Promise<void> {
  const run = found.data;
  const n = run.integrations + 1;
  const task = await stageTask(ports, run, {
    id: `integrate-${n}`,
    kind: 'integrate',
    title: 'Integrate the change sets',
    agent: agentOf(ports, 'integrator'),
    instructions: 'Apply the change sets in order on the base and run the checks after each.',
    allotmentMicroUsd: 0,
  });
  await commitTasks(ports, found, { ...run, integrations: n }, [task]);
}

async function addFix(
  ports: IntegrationPorts,
  found: Versioned<Run>,
  tasks: Task[],
  step: Extract<IntegrationStep, { step: 'fix' }>,
): Promise<void> {
  const run = found.data;
  const n = run.fixRounds + 1;
  const id = `fix-${n}`;
  const owner = tasks.find((task) => task.id === step.owner);
  const task = await stageTask(ports, run, {
    id,
    kind: 'fix',
    title: `Fix ${step.owner} (${step.cause.replace('_', ' ')})`,
    agent: agentOf(ports, owner?.agent ?? 'backend_developer'),
    instructions: fixInstructions(run, owner, step),
    acceptance: owner?.acceptance ?? [],
    scope: owner?.scope ?? [],
    inputs: step.inputs,
    fixes: { task: step.owner, cause: step.cause, detail: step.detail },
    allotmentMicroUsd: Math.floor(freeMicroUsd(run, tasks) * FIX_SHARE),
  });
  const changed = {
    ...run,
    fixRounds: n,
    changeOrder: step.order.map((entry) => (entry === 'FIX' ? id : entry)),
  };
  const at = ports.clock.now();
  const stage =
    run.stage === 'awaiting_review'
      ? advanceRun(changed, 'integrating', {
          at,
          by: step.cause === 'review' ? 'review' : 'ci',
          note: step.cause,
        })
      : changed;
  await commitTasks(ports, found, stage, [task]);
  if (stage !== changed) await notify(ports, stage);
}

/** The integrated change set goes out as a commit and a draft pull request; then it is judged. */
async function publishAndReview(
  ports: IntegrationPorts,
  found: Versioned<Run>,
  tasks: Task[],
  integration: Task,
): Promise<void> {
  const published = await publishChangeSet(ports, found.data, tasks, integration);
  if (!published.ok) {
    const { reason, ask } = published;
    const { decisions } = await ports.settings(found.data.tenant);
    if (ask !== undefined && decisions.risky_change === 'ask')
      return void (await askAboutRun(ports, found, ask));
    return endRun(ports, found.data, 'failed', { reason, tasks });
  }
  const at = ports.clock.now();
  const { ciLookAt: _former, ...before } = found.data;
  const run = advanceRun({ ...before, ...published.facts, headAt: at }, 'awaiting_review', {
    at,
    by: integration.id,
    note: publishedNote(published.facts),
  });
  const share = Math.floor((freeMicroUsd(run, tasks) * REVIEW_SHARE) / Math.max(1, run.reviews.length));
  const reviews = run.reviews.map(({ id, agent, instructions, acceptance = [] }) =>
    stageTask(ports, run, {
      id: run.integrations === 1 ? id : `${id}-${run.integrations}`,
      kind: 'review',
      title: 'Review the pull request',
      agent: agentOf(ports, agent),
      instructions,
      acceptance,
      lane: 'function',
      allotmentMicroUsd: share,
    }),
  );
  await commitTasks(ports, found, run, await Promise.all(reviews));
  await notify(ports, run);
}

function publishedNote({ pullRequest, heads }: Pick<Run, 'pullRequest' | 'heads'>): string {
  const commit = `commit ${heads.at(-1)?.slice(0, 7) ?? ''}`;
  return pullRequest === undefined ? commit : `${commit}, draft pull request #${pullRequest.number}`;
}

/** The run and its new tasks in one commit, then their dispatch. Losing the race is fine: the winner does the same. */
async function commitTasks(
  ports: IntegrationPorts,
  found: Versioned<Run>,
  run: Run,
  tasks: Task[],
): Promise<void> {
  const { outcome } = await ports.store.commit([
    { op: 'set', ref: found.ref, data: { ...run, updatedAt: ports.clock.now() }, ifVersion: found.version },
    ...tasks.map((task) => ({
      op: 'create' as const,
      ref: refs.task(run.tenant, run.id, task.id),
      data: task,
    })),
  ]);
  if (outcome === 'conflict') {
    throw new PenstockError('conflict', `run ${run.id} changed during its integration`, { retry: 'later' });
  }
  await Promise.all(tasks.map((task) => dispatchTask(ports, task)));
}

async function stageTask(ports: IntegrationPorts, run: Run, spec: NewTask): Promise<Task> {
  const { maxAttempts } = await ports.settings(run.tenant);
  return newTask(run, spec, ports.clock.now(), maxAttempts);
}

function agentOf(ports: IntegrationPorts, name: string) {
  const agent = ports.agents.get(name);
  if (agent === undefined)
    throw new PenstockError('config', `there is no agent ${name}; restore shared/agents/${name}.md`);
  return agent;
}

/** What no task can spend any more: ended tasks count what they spent, live ones what they may. */
function freeMicroUsd(run: Run, tasks: Task[]): number {
  const bound = tasks.reduce(
    (sum, task) => sum + (task.live ? task.allotmentMicroUsd : spentMicroUsd(task)),
    0,
  );
  return Math.max(0, run.budget.limitMicroUsd - bound);
}
