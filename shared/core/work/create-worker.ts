import type { Clock } from '../../ports/clock.ts';
import { PenstockError } from '../../ports/penstock-error.ts';
import type { Worker } from '../ports.ts';
import { doAgentWork, type Roster } from './agent-work.ts';
import type { Redact } from './redact-line.ts';
import { runAttempt } from './run-attempt.ts';
import { createSteering } from './steering.ts';

export interface WorkerConfig {
  roster: Roster;
  clock: Clock;
  redact: Redact;
}

/** The worker of the function lane: an agent with the tools it is given and no workspace. Throws `stale` when the attempt lost its claim. */
export function createWorker({ roster, clock, redact }: WorkerConfig): Worker {
  return async (open) => {
    const { attempt, tools } = await open();
    const steering = createSteering({ clock, limits: attempt.brief.limits });
    const bench = { prepare: () => Promise.resolve({ tools }) };
    const result = await runAttempt({
      attempt,
      clock,
      redact,
      steering,
      work: (context) => doAgentWork(context, roster, bench),
    });
    if (result !== 'stopped') return result;
    const { run, task, generation } = attempt.brief;
    throw new PenstockError(
      'stale',
      `Attempt ${generation} of task ${task} of run ${run} lost its claim; its result is dropped.`,
    );
  };
}
