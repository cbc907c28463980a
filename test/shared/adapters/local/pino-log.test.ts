import { createPinoLog } from '../../../../shared/adapters/local/pino-log.ts';
import { logContract } from '../../../contract/log-contract.ts';

logContract('pino', (level) => {
  const lines: string[] = [];
  const destination = { write: (line: string) => void lines.push(line) };
  return { log: createPinoLog({ level, destination }), text: () => lines.join('') };
});
