import { registerHttp } from '../../shared/runtime/register.ts';

registerHttp('attempts', async () => (await import('./attempts.ts')).attempts);
