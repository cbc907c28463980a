import { registerMessage } from '../../shared/runtime/register.ts';

registerMessage('decomposition', async () => (await import('./decomposition.ts')).decomposition);
