import { createRandomIds } from '../../../../shared/adapters/local/random-ids.ts';
import { idsContract } from '../../../contract/ids-contract.ts';

idsContract('the randomness of the machine', createRandomIds);
