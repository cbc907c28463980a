import type { Worker } from '../../../shared/core/ports.ts';
import { sweep } from '../../../shared/core/sweep.ts';
import type { AttemptResultInput, RenewAnswer } from '../../../shared/messages/attempt-api.ts';
import { PenstockError } from '../../../shared/ports/penstock-error.ts';
import type { Attempt } from '../../../shared/ports/attempt.ts';
import { type Cluster, whole } from './cluster.ts';
import { type Fate, fateOf, planOf } from './scenario.ts';
import { turn } from './turns.ts';
import type { World } from './world.ts';

/** Longer than any lease, delay and check interval of the policy. */
export const LONG_MS = 10 * 60_000;
const MAX_CALLS = 2;
const MINUTE_MS = 60_000;
/** So long a late worker waits for the one that takes its place. */
const PATIENCE_TURNS = 60;
/** So much happens while a slow worker is at it. */
const SLOW_HAPPENINGS = 5;

export interface Who {
  task: string;
  generation: number;
}

/** The worker of the function lane. Whose attempt it is stands in its brief. */
export function workFor(cluster: Cluster): Worker {
  return async (open) => {
    const { attempt } = await open();
    const { task, generation } = attempt.brief;
    return workAttempt(cluster, attempt, fateOf(cluster.world.given, { task, generation }));
  };
}

/** One attempt, from its first call to its result. @throws PenstockError `stale` for a worker that is gone. */
export async function workAttempt(
  cluster: Cluster,
  attempt: Pick<Attempt, 'brief' | 'model' | 'renew'>,
  fate: Fate,
): Promise<AttemptResultInput> {
  const { world } = cluster;
  const who = { task: attempt.brief.task, generation: attempt.brief.generation };
  const name = `${who.task}/${who.generation}`;
  judgeBeginning(world, who, attempt);
  const paid = await spend(world, who, attempt);
  if (fate === 'dies') throw new PenstockError('stale', 'as if the process were gone');
  if (fate === 'late') await beOvertaken(cluster, who);
  if (fate === 'slow' && (await dawdle(world, attempt)) === 'stop')
    return { outcome: 'failed', failure: { code: 'cancelled', message: `${name} was told to stop` } };
  if (fate === 'slow' || (fate === 'late' && world.ids.fraction() < 0.5)) await spend(world, who, attempt);
  if (!paid) return { outcome: 'failed', failure: { code: 'budget', message: `${name} has no money left` } };
  if (fate !== 'succeeds' && fate !== 'late' && fate !== 'slow')
    return { outcome: 'failed', failure: { code: fate, message: `${name} ${fate}` } };
  const output = who.task === 'plan' ? JSON.stringify(planOf(world.given)) : name;
  return { outcome: 'succeeded', summary: name, output };
}

/** Until its lease has passed, it was taken back, and the next generation is at work, if that comes soon. */
async function beOvertaken(cluster: Cluster, who: Who): Promise<void> {
  const { world } = cluster;
  world.trace.push(`${who.task}/${who.generation} is late`);
  for (const ms of [LONG_MS, MINUTE_MS]) {
    world.clock.core.advance(ms);
    await cluster.call((ports) => sweep(whole(ports)));
  }
  const next = `${who.task}/${who.generation + 1}`;
  for (let left = PATIENCE_TURNS; left > 0 && !world.begun.includes(next); left -= 1) await turn();
}

/** Renews its lease after each happening, and goes on when it is told nothing else. */
async function dawdle(world: World, { renew }: Pick<Attempt, 'renew'>): Promise<RenewAnswer['answer']> {
  for (let left = SLOW_HAPPENINGS; left > 0 && !world.isSettling; left -= 1) {
    const { happened } = world;
    while (!world.isSettling && world.happened === happened) await turn();
    const { answer } = await renew();
    if (answer === 'stop') return answer;
  }
  return 'continue';
}

function judgeBeginning(
  world: World,
  { task: id, generation }: Who,
  { brief }: Pick<Attempt, 'brief'>,
): void {
  const name = `${id}/${generation}`;
  world.trace.push(`${name} begins`);
  if (world.begun.includes(name)) world.breach('a generation is worked once', name);
  world.begun.push(name);
  for (const dependency of world.witness.task(id)?.dependencies ?? []) {
    const before = world.witness.task(dependency);
    if (before?.settled !== true)
      world.breach('nothing begins before what it waits for', `${name} before ${dependency}`);
    const told = brief.dependencies.find(({ task }) => task === dependency);
    if (before?.result !== undefined && told?.output !== before.result.summary)
      world.breach(
        'a dependant gets the winning result',
        `${name} was told ${told?.output} of ${dependency}`,
      );
  }
}

/** As many model calls as the allotment pays, up to some; `false` for none. Who holds its task no more is refused every one. */
async function spend(
  world: World,
  who: Who,
  { model, brief }: Pick<Attempt, 'brief' | 'model'>,
): Promise<boolean> {
  const request = {
    model: brief.model.id,
    system: '',
    turns: [],
    tools: [],
    maxOutputTokens: 1_000,
    timeoutMs: 1_000,
  };
  for (let paid = 0; paid < MAX_CALLS; paid += 1) {
    const held = isHeld(world, who);
    try {
      await model.answer(request);
      if (!held) world.breach('a stale generation spends nothing', `${who.task}/${who.generation}`);
    } catch (error) {
      if (!(error instanceof PenstockError) || error.code !== 'budget') throw error;
      return paid > 0;
    }
  }
  return true;
}

/** Whether the records say so at this moment. */
export function isHeld(world: World, { task: id, generation }: Who): boolean {
  const task = world.witness.task(id);
  return task?.state === 'running' && task.attempts.at(-1)?.generation === generation;
}
