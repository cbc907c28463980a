import { exitCodes } from './exit-codes.ts';

export interface Interrupt {
  signal: AbortSignal;
  exitCode: typeof exitCodes.interrupted;
  dispose(): void;
}

/** Ctrl-C, or being asked to end, aborts the signal once; a second time ends the process at once. */
export function onInterrupt(): Interrupt {
  const controller = new AbortController();
  const abort = (): void => controller.abort(new Error('interrupted'));
  const names = ['SIGINT', 'SIGTERM'] as const;
  for (const name of names) process.once(name, abort);
  const dispose = (): void => names.forEach((name) => process.removeListener(name, abort));
  return { signal: controller.signal, exitCode: exitCodes.interrupted, dispose };
}
