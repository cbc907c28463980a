import { isTerminal, type Run } from '../../../shared/core/run.ts';
import { submitRun } from '../../../shared/core/submit-run.ts';
import { sweep } from '../../../shared/core/sweep.ts';
import { planProposal } from '../../../shared/messages/plan.ts';
import { isTransient } from '../../../shared/ports/penstock-error.ts';
import { SUBMISSION } from '../engine.ts';
import { answer, cancel, pause, resume } from './ask-run.ts';
import { type Cluster, startCluster, whole } from './cluster.ts';
import { createWorldJobs } from './job-lane.ts';
import { judgeRedelivery, judgeWorld } from './judge-world.ts';
import { type Happening, planOf, type Scenario } from './scenario.ts';
import { turns } from './turns.ts';
import { LONG_MS, workFor } from './work-attempt.ts';
import { openWorld, type World } from './world.ts';

/** Every retry of every task in a row needs fewer. */
const MAX_ROUNDS = 80;

/** The queue's longest backoff, and more. */
const BACKOFF_MS = 70_000;
const CALM_ROUNDS = 6;
const CALM_BUDGET = 2_000_000;

export interface Outcome {
  breaches: string[];
  trace: string[];
}

/** Plays a scenario to the end of its run, and says which promises were broken on the way. */
export async function playScenario(given: Scenario): Promise<Outcome> {
  const world = await openWorld(given);
  try {
    await play(world);
  } catch (error) {
    world.breach('nothing breaks', error instanceof Error ? (error.stack ?? error.message) : String(error));
  } finally {
    await world.close();
  }
  return { breaches: world.breaches, trace: world.trace };
}

async function play(world: World): Promise<void> {
  const cluster = await startCluster(world, { jobs: createWorldJobs, work: workFor });
  const run = await submit(cluster);
  const { given } = world;
  for (const happening of given.happenings) {
    world.happened += 1;
    await happen(cluster, run, given.isCalm ? calmed(given, happening) : happening);
    await turns(happening.pace);
  }
  world.isSettling = true;
  world.trace.push('nothing goes wrong any more');
  if (given.isCalm) await settleCalm(cluster);
  await settle(cluster);
  await judgeWorld(world, run.id);
  await judgeRedelivery(cluster);
}

/** As a caller does: sent again under the same key until there is an answer. */
async function submit({ world, call }: Cluster): Promise<Run> {
  const { given } = world;
  const target = given.tasks.some(({ lane }) => lane === 'job') && given.planner === 'caller';
  const submission = {
    ...SUBMISSION,
    budgetMicroUsd: given.isCalm ? CALM_BUDGET : given.budgetMicroUsd,
    ...(target ? { target: { host: 'local-git' as const, repository: '/repo' } } : {}),
    ...(given.planner === 'caller' ? { plan: planProposal.parse(planOf(given)) } : {}),
  };
  const idempotency = { key: 'the same', body: {} };
  for (;;) {
    try {
      return (await call((ports) => submitRun(ports, submission, { idempotency }))).run;
    } catch (error) {
      if (!isTransient(error)) throw error;
    }
  }
}

async function happen(cluster: Cluster, run: Run, { kind, pick }: Happening): Promise<void> {
  const { world } = cluster;
  const { arrivals, clock } = world;
  const at = pick % Math.max(1, arrivals.length);
  switch (kind) {
    case 'deliver':
      return arrivals.splice(at, 1).forEach(cluster.handle);
    case 'together':
      return arrivals.splice(at, 4).forEach(cluster.handle);
    case 'twice':
      return arrivals.splice(at, 1).forEach((arrival) => {
        cluster.handle({ ...arrival, acknowledge: () => undefined, refuse: () => undefined });
        cluster.handle(arrival);
      });
    case 'again': {
      const old = [...world.delivered.values()][pick % Math.max(1, world.delivered.size)];
      return old && cluster.handle({ ...old, acknowledge: () => undefined, refuse: () => undefined });
    }
    case 'refuse':
      return arrivals.splice(at, 1).forEach(({ refuse }) => refuse(new Error('not now')));
    case 'lose':
      return arrivals.splice(at, 1).forEach(({ topic, acknowledge }) => {
        world.trace.push(`a message of ${topic} is lost`);
        acknowledge();
      });
    case 'sweep':
      return cluster.begin('sweep', ({ ports }) => sweep(whole(ports)));
    case 'wait':
      clock.core.advance((pick % 10) * 60_000 + pick);
      return cluster.begin(`${pick % 10} minutes later, sweep`, ({ ports }) => sweep(whole(ports)));
    case 'tick':
      return clock.core.advance((pick % 10) * 60_000 + pick);
    case 'crash':
      return cluster.crash();
    case 'pause':
      return cluster.begin('pause', ({ ports }) => pause(world, ports, run.id));
    case 'resume':
      return cluster.begin('resume', ({ ports }) => resume(world, ports, run.id));
    case 'answer':
      return cluster.begin('answer', ({ ports }) => answer(world, ports, pick));
    case 'cancel':
      return cluster.begin('cancel', ({ ports }) => cancel(world, ports, run.id));
  }
}

/**
 * What harms, or repairs, becomes a delivery or nothing. Two deliveries of one message and a failure after the commit of the first
 * need a sweep: the second finds the task taken and is acknowledged for both.
 */
function calmed({ writeFaults }: Scenario, happening: Happening): Happening {
  const { kind } = happening;
  const harmful: Happening['kind'][] = ['lose', 'crash', 'cancel', 'pause', 'resume'];
  const repeating: Happening['kind'][] = ['twice', 'again', 'tick', 'wait', 'sweep'];
  if (harmful.includes(kind) || (writeFaults.length > 0 && repeating.includes(kind)))
    return { ...happening, kind: 'deliver' };
  return kind === 'wait' || kind === 'sweep' ? { ...happening, kind: 'tick' } : happening;
}

/** What was only refused, repeated or delayed ends by itself. */
async function settleCalm(cluster: Cluster): Promise<void> {
  const { world } = cluster;
  for (let round = 0; round < CALM_ROUNDS; round += 1) {
    await cluster.quiet();
    if (isTerminal(world.witness.run()?.stage ?? 'accepted')) return;
    world.clock.core.advance(BACKOFF_MS);
  }
  const states = world.witness.tasks().map(({ id, state }) => `${id} ${state}`);
  world.breach('what went well needs no sweep', `${world.witness.run()?.stage}: ${states.join(', ')}`);
}

/** As time goes on: what is there is delivered, and swept. */
async function settle(cluster: Cluster): Promise<void> {
  const { world } = cluster;
  for (let round = 0; round < MAX_ROUNDS; round += 1) {
    const run = world.witness.run();
    if (run?.paused === true) await cluster.call((ports) => resume(world, ports, run.id));
    await cluster.quiet();
    // What was refused is delivered again after its backoff.
    const isOver = isTerminal(world.witness.run()?.stage ?? 'accepted');
    world.clock.core.advance(LONG_MS);
    await cluster.call((ports) => sweep(whole(ports)));
    if (overdue(world).length > 0) await cluster.call((ports) => sweep(whole(ports)));
    for (const what of overdue(world)) world.breach('nothing is live and overdue after two sweeps', what);
    if (isOver) return cluster.quiet();
  }
}

function overdue({ witness, clock }: World): string[] {
  const now = clock.core.now();
  const tasks = witness.tasks().filter(({ live, leaseUntil }) => live && leaseUntil > 0 && leaseUntil < now);
  return tasks.map(({ id, state }) => `${id} ${state}`);
}
