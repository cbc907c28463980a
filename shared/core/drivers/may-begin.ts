import { type AskedStage, askedStages } from '../../messages/stages.ts';
import { DIRECT, type Run } from '../run.ts';

/**
 * Whether a run may go beyond where its stage before ends: at once with driver `direct`, else when its workflow has asked for the
 * stage, or for a later one. The one place that tells drivers apart: what a transition is, and when it is due, the engine alone says.
 */
export function mayBegin({ driver, stageRequest }: Pick<Run, 'driver' | 'stageRequest'>, stage: AskedStage) {
  if (driver === DIRECT) return true;
  return stageRequest !== undefined && isUpTo(stage, stageRequest.stage);
}

/** Whether the first comes before the second, or is it. */
export function isUpTo(stage: AskedStage, other: AskedStage): boolean {
  return askedStages.indexOf(stage) <= askedStages.indexOf(other);
}
