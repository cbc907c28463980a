import { foldHistory, rootHash } from '../../../shared/core/history.ts';
import { refs } from '../../../shared/core/refs.ts';
import { isTerminal, type Run, type Stage } from '../../../shared/core/run.ts';
import { readTasks } from '../../../shared/core/run-tasks.ts';
import { spentMicroUsd, type Task } from '../../../shared/core/task.ts';
import { receive, TENANT } from '../engine.ts';
import { type Cluster, whole } from './cluster.ts';
import type { World } from './world.ts';

/** What must be true of every world that has come to rest. */
export async function judgeWorld(world: World, id: string): Promise<void> {
  const run = (await world.store.get(refs.run(TENANT, id)))?.data;
  if (run === undefined) return world.breach('an accepted run is recorded', id);
  const tasks = await readTasks(world.store, TENANT, id);
  const isSeen =
    JSON.stringify([run, tasks]) === JSON.stringify([world.witness.run(), world.witness.tasks()]);
  if (!isSeen) world.breach('the store holds what was written', id);
  judgeRun(world, run, tasks);
  for (const task of tasks) await judgeTask(world, task);
}

function judgeRun(world: World, run: Run, tasks: Task[]): void {
  const { breach } = world;
  const terminal = run.history.filter(({ state }) => isTerminal(state as Stage));
  if (terminal.length !== 1)
    breach('a run has one terminal entry', `it has ${terminal.length}, and is ${run.stage}`);
  const told = foldHistory(run.history);
  if (told !== run.stage)
    breach('state equals the fold of history', `the run is ${run.stage}, it tells ${told}`);
  if (run.tasksRoot !== rootHash(tasks.map(({ history }) => history)))
    breach('the terminal entry has the root over the tasks', `${run.tasksRoot}`);
  const wasCancelled = world.isCancelled || run.history.some(({ state }) => state === 'cancelling');
  const due = wasCancelled ? 'cancelled' : tasks.every(({ settled }) => settled) ? 'succeeded' : 'failed';
  if (run.stage !== due)
    breach('a run ends as its tasks did', `${run.stage}, not ${due}: ${run.reason?.message}`);
  const spent = tasks.reduce((sum, task) => sum + spentMicroUsd(task), 0);
  if (spent > run.budget.limitMicroUsd)
    breach('spend never passes the budget', `${spent} of ${run.budget.limitMicroUsd}`);
  if (world.billedMicroUsd > spent)
    breach('what was billed is recorded', `${world.billedMicroUsd} was billed, ${spent} is recorded`);
}

async function judgeTask({ breach, begun, blobs, witness }: World, task: Task): Promise<void> {
  const { id, state, attempts, result } = task;
  if (foldHistory(task.history) !== state)
    breach('state equals the fold of history', `${id} is ${state}, it tells ${foldHistory(task.history)}`);
  if (state === 'failed' && !hasLetter(witness, task))
    breach('what failed for good is kept for a person', id);
  if (task.live) breach('nothing is live in an ended run', `${id} ${state}`);
  if (attempts.length > task.maxAttempts) breach('attempts are limited', `${id} has ${attempts.length}`);
  if (attempts.some(({ exit }) => exit === undefined)) breach('every attempt ends', id);
  if (attempts.some(({ meter }) => meter.reservedMicroUsd !== 0)) breach('no reservation stays open', id);
  const names = attempts.map(({ generation }) => `${id}/${generation}`);
  const strange = begun.filter((name) => name.startsWith(`${id}/`) && !names.includes(name));
  if (strange.length > 0) breach('what is worked is recorded', strange.join(', '));
  const won = attempts.filter(({ exit }) => exit?.outcome === 'succeeded');
  if (won.length !== (state === 'succeeded' ? 1 : 0)) breach('a task succeeds once', `${id}: ${won.length}`);
  if (won[0] === undefined) return;
  const winner = `${id}/${won[0].generation}`;
  if (won[0] !== attempts.at(-1) || !begun.includes(winner))
    breach('the winner is the last and was worked', winner);
  if (id === 'plan') return;
  const output = result?.outputKey === undefined ? undefined : await blobs.get(result.outputKey);
  const text = new TextDecoder().decode(output);
  if (result?.summary !== winner || text !== winner)
    breach('the result is that of the winner', `${winner}, not ${result?.summary} and ${text}`);
}

function hasLetter(witness: World['witness'], { id }: Task): boolean {
  return witness.letters().some((letter) => letter.kind === 'task' && letter.task === id);
}

/** Every message there ever was, to a process that knows nothing: it finds everything done. */
export async function judgeRedelivery(cluster: Cluster): Promise<void> {
  const { world } = cluster;
  world.witness.settle('a message delivered once more changes no record');
  const old = [...world.delivered.values()];
  for (const { topic, delivery } of old) {
    world.trace.push(`once more: ${topic} ${JSON.stringify(delivery.message)}`);
    await cluster.call((ports) => receive(whole(ports), topic, delivery));
  }
  await cluster.quiet();
}
