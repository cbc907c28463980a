import { type AgentMessage, MAX_MESSAGE_BYTES } from '../../messages/agent-message.ts';
import { PenstockError } from '../../ports/penstock-error.ts';
import { cutText, sanitiseText, storedBytes } from '../intake/sanitise-text.ts';
import type { Ports } from '../ports.ts';
import { type MailRecord, refs } from '../refs.ts';
import { redact } from '../repository/scan-secrets.ts';
import { isTerminal } from '../run.ts';

/** Whoever else writes to the run at the same moment is done after a few. */
const MAX_TRIES = 12;
/** Messages between the agents of one run, at most. */
export const MAX_MAIL = 200;

export type Letter = Omit<MailRecord, 'v' | 'run' | 'seq' | 'message'> & {
  message: Omit<AgentMessage, 'timestamp'>;
};

/**
 * Keeps a message between agents, once per id, and counts it on the run: that is what their renewals look at.
 * `refused`: the run has as many as it may have, or has ended.
 * @throws PenstockError `too_large`
 */
export async function postMessage(
  ports: Pick<Ports, 'store' | 'clock'>,
  { tenant, run }: { tenant: string; run: string },
  letter: Letter,
): Promise<'posted' | 'known' | 'refused'> {
  const at = ports.clock.now();
  const message = { ...cleanMessage(letter.message), timestamp: new Date(at).toISOString() };
  const ref = refs.message(tenant, run, message.message_id);
  for (let tries = 0; tries < MAX_TRIES; tries += 1) {
    const [known, found] = await Promise.all([ports.store.get(ref), ports.store.get(refs.run(tenant, run))]);
    if (known !== undefined) return 'known';
    if (found === undefined || found.data.mail >= MAX_MAIL || isTerminal(found.data.stage)) return 'refused';
    const seq = found.data.mail + 1;
    const record: MailRecord = { v: 1, run, seq, ...letter, message };
    const { outcome } = await ports.store.commit([
      {
        op: 'set',
        ref: found.ref,
        data: { ...found.data, mail: seq, updatedAt: at },
        ifVersion: found.version,
      },
      { op: 'create', ref, data: record },
    ]);
    if (outcome === 'committed') return 'posted';
  }
  throw new PenstockError('conflict', `run ${run} kept changing; send the message again`, { retry: 'later' });
}

/** Text of the platform's own messages, in what a message has room for. */
export function cutForMail(text: string): string {
  return cutText(text, MAX_MESSAGE_BYTES / 4, MAX_MESSAGE_BYTES / 3);
}

/**
 * What stands in a message is read by models and people: nothing hidden, no secret.
 * @throws PenstockError `too_large`
 */
export function cleanMessage<M extends Letter['message']>(message: M): M {
  const safe = (text: string) => redact(sanitiseText(text));
  const { project, phase, deliverables } = message.context;
  const bytes = storedBytes(message);
  if (bytes > MAX_MESSAGE_BYTES) {
    const id = message.message_id;
    throw new PenstockError(
      'too_large',
      `message ${id} has ${bytes} bytes, ${MAX_MESSAGE_BYTES} are allowed; put the rest in a file`,
    );
  }
  return {
    ...message,
    context: {
      project: safe(project),
      phase: safe(phase),
      deliverables: deliverables.map(({ type, path, description }) => ({
        type: safe(type),
        path: safe(path),
        description: safe(description),
      })),
    },
    next_tasks: message.next_tasks.map(safe),
  };
}
