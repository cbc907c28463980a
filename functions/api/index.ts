import { registerHttp } from '../../shared/runtime/register.ts';
import { api } from './api.ts';

registerHttp(api);
