import { registerHttp } from '../../shared/runtime/register.ts';
import { attempts } from './attempts.ts';

registerHttp(attempts);
