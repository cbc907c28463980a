import { MAX_COMMIT_WRITES } from '../../shared/ports/store.ts';
import type { Bill } from './count-ports.ts';

/** The tasks of one run's plan, by what they wait for. */
export type PlannedEdges = readonly { dependencies: readonly string[] }[];

/** Created, claimed, finished. */
const TASK_WRITES = 3;
/** To claim, to follow, and at the end of the run for the root over all histories. */
const TASK_READS = 3;
/** Accepted, ended, and with each commit of its tasks: one where they fit. */
const RUN_WRITES = 2;
const TASKS_PER_COMMIT = MAX_COMMIT_WRITES - 1;
/** Its tenant when it is accepted, itself when it is planned and when it ends. */
const RUN_READS = 3;

/** Where the bill of one run for each plan breaks the cost contract, which is exact; empty: it holds. */
export function judgeBill(plans: readonly PlannedEdges[], bill: Bill): string[] {
  const { tasks, joins, sinks } = sizesOf(plans);
  const runs = plans.length;
  const commits = plans.map((plan) => Math.ceil(plan.length / TASKS_PER_COMMIT));
  // Before the first of several commits, a look at what a predecessor that crashed has stored.
  const looks = commits.filter((count) => count > 1).length;
  const { 'run-accepted': accepted = 0, 'task-dispatched': dispatched = 0, ...rest } = bill.messages;
  const { 'task-finished': finished = 0, ...others } = rest;
  const lines: [what: string, counted: number, due: number][] = [
    ['writes of tasks', bill.taskWrites, TASK_WRITES * tasks],
    ['other writes', bill.otherWrites, RUN_WRITES * runs + total(commits)],
    ['reads', bill.reads, TASK_READS * tasks + RUN_READS * runs],
    // One look for a task that waits for room after each.
    ['queries without an answer', bill.emptyAnswers, tasks + looks],
    // One for each edge into a task that waits for several, one for each sink, one for each admission.
    ['counts', bill.counts, joins + sinks + tasks],
    ['run-accepted', accepted, runs],
    ['task-dispatched', dispatched, tasks],
    ['task-finished', finished, tasks],
    ['other messages', total(Object.values(others)), 0],
    ['commits tried again', bill.conflicts, 0],
  ];
  return lines
    .filter(([, counted, due]) => counted !== due)
    .map(([what, counted, due]) => `cost contract: ${what}: ${counted}, due are ${due}`);
}

function sizesOf(plans: readonly PlannedEdges[]): { tasks: number; joins: number; sinks: number } {
  const sizes = plans.map((plan) => {
    const waitedFor = plan.flatMap(({ dependencies }) => dependencies);
    const sole = plan.filter(({ dependencies }) => dependencies.length === 1).length;
    return {
      tasks: plan.length,
      joins: waitedFor.length - sole,
      sinks: plan.length - new Set(waitedFor).size,
    };
  });
  return {
    tasks: total(sizes.map((size) => size.tasks)),
    joins: total(sizes.map((size) => size.joins)),
    sinks: total(sizes.map((size) => size.sinks)),
  };
}

function total(values: number[]): number {
  return values.reduce((sum, value) => sum + value, 0);
}
