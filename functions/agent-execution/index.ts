import { registerMessage } from '../../shared/runtime/register.ts';

registerMessage('agent-execution', async () => (await import('./agent-execution.ts')).agentExecution);
