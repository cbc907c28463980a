import { registerHttp } from '../../shared/runtime/register.ts';
import { sweep } from './sweep.ts';

registerHttp(sweep);
