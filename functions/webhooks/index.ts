import { registerHttp } from '../../shared/runtime/register.ts';

registerHttp('webhooks', async () => (await import('./webhooks.ts')).webhooks);
