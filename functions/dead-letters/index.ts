import { registerMessage } from '../../shared/runtime/register.ts';
import { deadLetters } from './dead-letters.ts';

registerMessage(deadLetters);
