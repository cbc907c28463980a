import { registerHttp } from '../../shared/runtime/register.ts';
import { intake } from './intake.ts';

registerHttp(intake);
