import { registerMessage } from '../../shared/runtime/register.ts';
import { decomposition } from './decomposition.ts';

registerMessage(decomposition);
