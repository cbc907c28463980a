import { registerHttp } from '../../shared/runtime/register.ts';

registerHttp('stages', async () => (await import('./stages.ts')).stages);
