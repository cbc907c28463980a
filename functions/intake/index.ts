import { registerHttp } from '../../shared/runtime/register.ts';

registerHttp('intake', async () => (await import('./intake.ts')).intake);
