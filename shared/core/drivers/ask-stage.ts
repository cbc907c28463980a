import type { AskedStage } from '../../messages/stages.ts';
import { PenstockError } from '../../ports/penstock-error.ts';
import { change } from '../change.ts';
import type { Ports } from '../ports.ts';
import { refs } from '../refs.ts';
import { isTerminal, type Run, type StageRequest } from '../run.ts';
import { rederive } from '../sweep.ts';
import { type DriverClaim, requireClaimed } from './claim-run.ts';
import { handBack } from './hand-back.ts';
import { isUpTo } from './may-begin.ts';

/** What a workflow asks for, and where it waits. */
export interface StageAsk extends DriverClaim {
  stage: AskedStage;
  sequence: number;
  callback: string;
}

/**
 * Lets a run go on up to the end of a stage, whose callback is then delivered: at once where it is over already. The same sequence
 * number again changes nothing; the same stage under the next one, with another callback, is how a lost wake is made good.
 * @throws PenstockError `conflict` from an execution that does not drive the run, and for what cannot come next.
 */
export async function askStage(ports: Ports, ask: StageAsk): Promise<Run> {
  const { data: run } = await change(ports.store, refs.run(ask.tenant, ask.run), (current) => {
    requireClaimed(current, ask.execution);
    if (isRepeat(current.stageRequest, ask)) return undefined;
    const { undeliveredSince: _moot, ...rest } = current;
    const { stage, sequence: seq, execution, callback } = ask;
    const stageRequest: StageRequest = { stage, seq, execution, callback, state: 'asked' };
    return { data: { ...rest, stageRequest } };
  });
  await (isTerminal(run.stage) ? handBack(ports, run) : rederive(ports, run));
  return run;
}

/** @throws PenstockError `conflict` where it is neither a repeat nor what may come next. */
function isRepeat(known: StageRequest | undefined, ask: StageAsk): boolean {
  const last = known?.seq ?? 0;
  if (ask.sequence < last) return true;
  if (known !== undefined && ask.sequence === last) {
    if (known.stage === ask.stage && known.callback === ask.callback) return true;
    throw refused(ask, `request ${last} was for stage ${known.stage} and its own callback`);
  }
  if (ask.sequence > last + 1) throw refused(ask, `the next request is ${last + 1}`);
  if (known !== undefined && !isUpTo(known.stage, ask.stage))
    throw refused(ask, `stage ${known.stage} was asked for, which comes after it`);
  return false;
}

function refused({ run, stage, sequence }: StageAsk, why: string): PenstockError {
  return new PenstockError(
    'conflict',
    `request ${sequence} for stage ${stage} of run ${run} is refused: ${why}; read the run again`,
  );
}
