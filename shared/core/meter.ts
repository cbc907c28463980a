import { PenstockError } from '../ports/penstock-error.ts';
import type { Usage } from '../ports/model.ts';
import { change } from './change.ts';
import { type Fence, heldAttempt, withAttempt } from './fence.ts';
import type { Ports } from './ports.ts';
import { refs } from './refs.ts';
import type { Task, TaskAttempt } from './task.ts';

type MeterPorts = Pick<Ports, 'store' | 'clock'>;

/**
 * Sets money aside in the attempt's own meter before a model call; nothing else is written.
 * @throws PenstockError `budget` where the allotment cannot pay it, `stale` where the attempt is not held any more.
 */
export async function reserve(
  ports: MeterPorts,
  fence: Fence,
  call: { microUsd: number; model: string },
): Promise<void> {
  await onMeter(ports, fence, (attempt) => {
    const { meter } = attempt;
    const left = meter.allowanceMicroUsd - meter.spentMicroUsd - meter.reservedMicroUsd;
    if (call.microUsd > left) throw overBudget(fence, call.microUsd, left);
    const reservedMicroUsd = meter.reservedMicroUsd + call.microUsd;
    return { ...attempt, model: call.model, meter: { ...meter, reservedMicroUsd } };
  });
}

/** Says which model an attempt asked, where it came to no reservation: the next one may have to ask another. */
export function nameModel(ports: MeterPorts, fence: Fence, model: string): Promise<void> {
  return onMeter(ports, fence, (attempt) => ({ ...attempt, model }));
}

/** Puts what the call really used in place of its reservation. A call that was never answered uses nothing. */
export async function settle(
  ports: MeterPorts,
  fence: Fence,
  call: { reservedMicroUsd: number; spentMicroUsd: number; usage: Usage; answered: boolean },
): Promise<void> {
  await onMeter(ports, fence, (attempt) => {
    const { meter } = attempt;
    const { usage } = meter;
    return {
      ...attempt,
      meter: {
        ...meter,
        reservedMicroUsd: Math.max(0, meter.reservedMicroUsd - call.reservedMicroUsd),
        spentMicroUsd: meter.spentMicroUsd + call.spentMicroUsd,
        calls: meter.calls + (call.answered ? 1 : 0),
        usage: {
          input: usage.input + call.usage.input,
          output: usage.output + call.usage.output,
          cacheRead: usage.cacheRead + call.usage.cacheRead,
          cacheWrite: usage.cacheWrite + call.usage.cacheWrite,
        },
      },
    };
  });
}

async function onMeter(
  ports: MeterPorts,
  fence: Fence,
  decide: (attempt: TaskAttempt) => TaskAttempt,
): Promise<void> {
  const { changed } = await change(
    ports.store,
    refs.task(fence.tenant, fence.run, fence.task),
    (task: Task) => {
      const attempt = heldAttempt(task, fence);
      if (attempt === undefined) return undefined;
      return {
        data: { ...task, attempts: withAttempt(task, decide(attempt)), updatedAt: ports.clock.now() },
      };
    },
  );
  if (!changed) throw staleAttempt(fence);
}

export function staleAttempt({ run, task, generation }: Fence): PenstockError {
  const message = `attempt ${task}/${generation} of run ${run} no longer holds its task; stop, nothing of it is stored any more`;
  return new PenstockError('stale', message);
}

function overBudget({ run, task }: Fence, wanted: number, left: number): PenstockError {
  const usd = (microUsd: number) => `$${(Math.max(0, microUsd) / 1e6).toFixed(4)}`;
  const message = `task ${task} of run ${run} has ${usd(left)} of its allotment left and the next call may cost ${usd(wanted)}; raise the run's budget`;
  return new PenstockError('budget', message);
}
