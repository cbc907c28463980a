import { decomposeRun } from '../../shared/core/decompose-run.ts';
import type { MessageFunction } from '../../shared/runtime/functions.ts';

export const decomposition: MessageFunction<'run-accepted'> = {
  name: 'decomposition',
  topic: 'run-accepted',
  handle: (ports, message) => decomposeRun(ports, message),
};
