import { registerMessage } from '../../shared/runtime/register.ts';

registerMessage('result-handling', async () => (await import('./result-handling.ts')).resultHandling);
