import { PenstockError } from '../../shared/ports/penstock-error.ts';
import type { RunView } from '../../shared/messages/run-view.ts';

/** What a script that calls `penstock` may rely on. */
export const exitCodes = {
  done: 0,
  failed: 1,
  usage: 2,
  unreachable: 3,
  needsDecision: 4,
  interrupted: 130,
} as const;
export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];

/** Whether the run waits for a person, or ended because it would have had to. */
export function needsDecision({ stage, reason, decisions = [] }: EndOfRun): boolean {
  return stage === 'awaiting_approval' || reason?.code === 'approval_required' || decisions.length > 0;
}

type EndOfRun = Pick<RunView, 'stage' | 'reason' | 'decisions'>;

export function exitCodeOfRun(run: EndOfRun): ExitCode {
  if (needsDecision(run)) return exitCodes.needsDecision;
  return run.stage === 'succeeded' ? exitCodes.done : exitCodes.failed;
}

/** What the server could not do is not what the caller did wrong. */
export function exitCodeOfError(error: unknown): ExitCode {
  if (!(error instanceof PenstockError)) return exitCodes.failed;
  const { code } = error;
  const isServer =
    code === 'unavailable' ||
    code === 'timeout' ||
    code === 'internal' ||
    code === 'no_capacity' ||
    code === 'rate_limited';
  return isServer ? exitCodes.unreachable : exitCodes.usage;
}
