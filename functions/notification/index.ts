import { registerMessage } from '../../shared/runtime/register.ts';

registerMessage('notification', async () => (await import('./notification.ts')).notification);
