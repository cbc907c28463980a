import { createHash } from 'node:crypto';
import type { SteeringWords } from '../messages/attempt-api.ts';
import { PenstockError } from '../ports/penstock-error.ts';
import { change } from './change.ts';
import { sanitiseText } from './intake/sanitise-text.ts';
import type { Ports } from './ports.ts';
import { refs } from './refs.ts';
import { redact } from './repository/scan-secrets.ts';
import { isTerminal, MAX_STEERING, type Run, type SteeringMessage, touched } from './run.ts';

/**
 * Words of a person to a live run: they reach its running attempts at their next renewal, and later ones in their brief.
 * Each says them once. The same `key` again is the same message.
 * @throws PenstockError `conflict` where the run has ended, or its tenant takes no words to runs at work.
 */
export async function steerRun(
  ports: Pick<Ports, 'store' | 'clock' | 'settings'>,
  run: Pick<Run, 'tenant' | 'id'>,
  said: { text: string; by: string; key?: string },
): Promise<SteeringMessage> {
  const text = redact(sanitiseText(said.text));
  if (text === '') throw new PenstockError('invalid', 'the message says nothing; send some visible text');
  const policy = (await ports.settings(run.tenant)).steering;
  const keyHash = said.key === undefined ? undefined : createHash('sha256').update(said.key).digest('hex');
  const at = ports.clock.now();
  const decide = (current: Run): { message: SteeringMessage; isNew: boolean } => {
    const repeated = current.steering.find((message) => message.keyHash === keyHash);
    if (keyHash !== undefined && repeated !== undefined)
      return { message: sameOrRefused(current, repeated, text), isNew: false };
    refuse(current, policy);
    const message: SteeringMessage = {
      seq: (current.steering.at(-1)?.seq ?? 0) + 1,
      at,
      by: said.by,
      text,
      interrupts: policy === 'interrupt',
      ...(keyHash === undefined ? {} : { keyHash }),
    };
    return { message, isNew: true };
  };
  let seq = 0;
  const { data } = await change(ports.store, refs.run(run.tenant, run.id), (current) => {
    const { message, isNew } = decide(current);
    seq = message.seq;
    const steering = [...current.steering, message].slice(-MAX_STEERING);
    return isNew ? { data: { ...touched(current), steering, updatedAt: at } } : undefined;
  });
  const message = data.steering.find((other) => other.seq === seq);
  if (message !== undefined) return message;
  throw new PenstockError('internal', `message ${seq} to run ${run.id} was not kept`);
}

/** What people said to a run after number `seq`, oldest first. */
export function steeringAfter(run: Run, seq: number): SteeringWords[] {
  return run.steering
    .filter((message) => message.seq > seq)
    .map(({ seq: number, text, interrupts }) => ({ seq: number, text, interrupts }));
}

function sameOrRefused(run: Run, repeated: SteeringMessage, text: string): SteeringMessage {
  if (repeated.text === text) return repeated;
  throw new PenstockError(
    'conflict',
    `this Idempotency-Key belongs to message ${repeated.seq} to run ${run.id}, which says something else; use a new key`,
  );
}

function refuse(run: Run, policy: string): void {
  if (isTerminal(run.stage) || run.stage === 'cancelling')
    throw new PenstockError(
      'conflict',
      `run ${run.id} is ${run.stage}; nobody works on it any more, so there is nobody to tell`,
    );
  if (policy === 'reject')
    throw new PenstockError(
      'conflict',
      `this tenant takes no messages to runs at work (settings: steering); cancel run ${run.id} and submit what you want instead`,
    );
}
