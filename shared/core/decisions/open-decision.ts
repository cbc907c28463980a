import type { Versioned, Write } from '../../ports/store.ts';
import { change } from '../change.ts';
import { appendHistory } from '../history.ts';
import type { Ports } from '../ports.ts';
import { refs } from '../refs.ts';
import { notify } from '../settle-run.ts';
import type { Task } from '../task.ts';
import { askBudgetRaise } from './budget-raise.ts';
import { type Decision, goesOn } from './decision.ts';
import { newDecision } from './new-decision.ts';

type OpenPorts = Pick<Ports, 'store' | 'queue' | 'clock' | 'settings' | 'trace'>;

/** Whoever comes by so soon after a decision was asked publishes its notice again; later the reminder makes good a lost one. */
const NOTICE_MS = 10 * 60_000;

/**
 * Asks a person what a blocked task waits for, once: the decision and the task that names it are one commit, and a repeat only
 * publishes the notice again. What was asked before and no longer holds becomes void with it.
 */
export async function openDecision(ports: OpenPorts, task: Task): Promise<void> {
  const { tenant, run: runId, id } = task;
  const run = (await ports.store.get(refs.run(tenant, runId)))?.data;
  if (run === undefined || !goesOn(run)) return;
  const settings = await ports.settings(tenant);
  const before = await currentDecision(ports, task);
  const { changed } = await change(ports.store, refs.task(tenant, runId, id), (current) => {
    const isOther = current.decision !== task.decision || current.attempts.length !== task.attempts.length;
    if (current.state !== 'blocked' || isOther) return undefined;
    const at = ports.clock.now();
    const decision = newDecision({ run, task: id }, askBudgetRaise(run, current), { settings, at });
    if (current.decision === decision.id) return undefined;
    const create: Write = { op: 'create', ref: refs.decision(tenant, decision.id), data: decision };
    return { data: asking(current, decision, at), also: [create, ...voidWrites(before, at)] };
  });
  const isNew = before !== undefined && ports.clock.now() - before.data.createdAt < NOTICE_MS;
  if (changed || isNew) await notify(ports, run);
}

/** What the task waits for so far. */
async function currentDecision(
  ports: OpenPorts,
  { tenant, decision }: Task,
): Promise<Versioned<Decision> | undefined> {
  const found = decision === undefined ? undefined : await ports.store.get(refs.decision(tenant, decision));
  return found?.data.state === 'open' ? found : undefined;
}

/** It is taken back in the same commit as the new question is asked. */
function voidWrites(before: Versioned<Decision> | undefined, at: number): Write[] {
  if (before === undefined) return [];
  const data: Decision = { ...before.data, state: 'void', endedAt: at };
  return [{ op: 'set', ref: before.ref, data, ifVersion: before.version }];
}

function asking(task: Task, { id, question }: Decision, at: number): Task {
  const note = `decision ${id}: ${question}`;
  const history = appendHistory(task.history, { at, state: 'blocked', by: 'decision', note });
  return { ...task, decision: id, updatedAt: at, history };
}
