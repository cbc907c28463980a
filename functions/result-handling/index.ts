import { registerMessage } from '../../shared/runtime/register.ts';
import { resultHandling } from './result-handling.ts';

registerMessage(resultHandling);
