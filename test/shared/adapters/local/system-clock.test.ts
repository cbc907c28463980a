import { createSystemClock } from '../../../../shared/adapters/local/system-clock.ts';
import { clockContract } from '../../../contract/clock-contract.ts';

clockContract('the system clock', createSystemClock);
