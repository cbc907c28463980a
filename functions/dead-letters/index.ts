import { registerMessage } from '../../shared/runtime/register.ts';

registerMessage('dead-letters', async () => (await import('./dead-letters.ts')).deadLetters);
