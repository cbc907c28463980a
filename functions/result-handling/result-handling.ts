import { followTask } from '../../shared/core/follow-task.ts';
import type { MessageFunction } from '../../shared/runtime/functions.ts';

export const resultHandling: MessageFunction<'task-finished'> = {
  name: 'result-handling',
  topic: 'task-finished',
  handle: (ports, message) => followTask(ports, message),
};
