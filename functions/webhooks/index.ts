import { registerHttp } from '../../shared/runtime/register.ts';
import { webhooks } from './webhooks.ts';

registerHttp(webhooks);
