import type { Value } from '../values.ts';
import type { Fiber } from './fiber.ts';

/** Waits so many seconds; over the end of the process, it waits for the rest of them. */
export function sleep(fiber: Fiber, name: string, seconds: number): Promise<Value> {
  const { clock } = fiber.execution.services;
  return sleepUntil(fiber, name, clock.now() + seconds * 1_000);
}

export function sleepUntil(fiber: Fiber, name: string, untilMs: number): Promise<Value> {
  const { execution } = fiber;
  return execution.suspend(fiber, name, ({ began, begin }) => {
    const dueMs = began?.dueMs ?? untilMs;
    if (began === undefined) begin({ dueMs });
    return new Promise<Value>((resolve) => {
      const cancel = execution.services.clock.at(dueMs, () => {
        forget();
        resolve(null);
      });
      const forget = execution.onEnd(cancel);
    });
  });
}
