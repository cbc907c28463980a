import { registerHttp } from '../../shared/runtime/register.ts';

registerHttp('sweep', async () => (await import('./sweep.ts')).sweep);
