import { registerMessage } from '../../shared/runtime/register.ts';

registerMessage('integration', async () => (await import('./integration.ts')).integration);
