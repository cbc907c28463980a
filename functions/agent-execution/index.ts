import { registerMessage } from '../../shared/runtime/register.ts';
import { agentExecution } from './agent-execution.ts';

registerMessage(agentExecution);
