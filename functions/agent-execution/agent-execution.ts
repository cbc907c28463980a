import { executeTask } from '../../shared/core/execute-task.ts';
import type { MessageFunction } from '../../shared/runtime/functions.ts';

export const agentExecution: MessageFunction<'task-dispatched'> = {
  name: 'agent-execution',
  topic: 'task-dispatched',
  handle: (ports, message) => executeTask(ports, message),
};
