import { registerMessage } from '../../shared/runtime/register.ts';
import { notification } from './notification.ts';

registerMessage(notification);
