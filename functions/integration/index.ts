import { registerMessage } from '../../shared/runtime/register.ts';
import { integration } from './integration.ts';

registerMessage(integration);
