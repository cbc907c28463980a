import { keepDeadLetter } from '../../shared/core/keep-dead-letter.ts';
import type { MessageFunction } from '../../shared/runtime/functions.ts';

export const deadLetters: MessageFunction<'dead-letter'> = {
  name: 'dead-letters',
  topic: 'dead-letter',
  handle: (ports, letter) => keepDeadLetter(ports, letter),
};
