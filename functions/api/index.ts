import { registerHttp } from '../../shared/runtime/register.ts';

registerHttp('api', async () => (await import('./api.ts')).api);
