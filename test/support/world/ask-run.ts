import { cancelRun } from '../../../shared/core/cancel-run.ts';
import { decide } from '../../../shared/core/decisions/decide.ts';
import { pauseRun } from '../../../shared/core/pause-run.ts';
import type { Ports } from '../../../shared/core/ports.ts';
import { resumeRun } from '../../../shared/core/resume-run.ts';
import { PenstockError } from '../../../shared/ports/penstock-error.ts';
import { TENANT } from '../engine.ts';
import { whole } from './cluster.ts';
import type { World } from './world.ts';

type Asked = Omit<Ports, 'work'>;

const BY = 'dana';

/** What a person asks of a run. That it is too late for it is an answer, too. */
export async function cancel(world: World, ports: Asked, run: string): Promise<void> {
  await unlessTooLate(async () => {
    const { stage } = await cancelRun(ports, TENANT, run, BY);
    if (stage === 'cancelling' || stage === 'cancelled') world.isCancelled = true;
    else world.breach('a cancel is kept or refused', `the run is ${stage}`);
  });
}

export async function pause(world: World, ports: Asked, run: string): Promise<void> {
  // With a resume under way, nobody can say which of the two comes last.
  const { resumes, resuming } = world;
  await unlessTooLate(async () => {
    await pauseRun(ports, TENANT, run, BY);
    if (world.resumes === resumes && resuming === 0) world.isPaused = true;
  });
}

export async function resume(world: World, ports: Asked, run: string): Promise<void> {
  world.resumes += 1;
  world.resuming += 1;
  world.isPaused = false;
  await unlessTooLate(() => resumeRun(whole(ports), TENANT, run, BY));
  world.resuming -= 1;
}

/** One of the open questions, answered with one of its options. */
export async function answer({ witness }: World, ports: Asked, pick: number): Promise<void> {
  const open = witness.openDecisions();
  const decision = open[pick % Math.max(1, open.length)];
  const option = decision?.options[Math.floor(pick / 10) % decision.options.length];
  if (decision === undefined || option === undefined) return;
  await unlessTooLate(() => decide(whole(ports), decision, { option: option.id }, BY));
}

async function unlessTooLate(ask: () => Promise<unknown>): Promise<void> {
  try {
    await ask();
  } catch (error) {
    if (!(error instanceof PenstockError && error.code === 'conflict')) throw error;
  }
}
