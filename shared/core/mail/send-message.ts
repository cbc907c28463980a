import type { AgentMessage } from '../../messages/agent-message.ts';
import type { MessageProposal, ProposalAnswer } from '../../messages/attempt-api.ts';
import { PenstockError } from '../../ports/penstock-error.ts';
import { completeSubtask, findSubtask } from '../delegation/complete-subtask.ts';
import { type Fence, heldAttempt } from '../fence.ts';
import { staleAttempt } from '../meter.ts';
import type { Ports } from '../ports.ts';
import { refs } from '../refs.ts';
import { cleanMessage, MAX_MAIL, postMessage } from './post-message.ts';

/**
 * What the agent that the fence names says to another one of its run (003-30). It reads so at the next renewal of each of its
 * attempts, and in the brief of later ones. A `complete` ends the subtask that it is correlated with.
 * @throws PenstockError `stale`; `forbidden` or `too_large` with what to do instead.
 */
export async function sendMessage(
  ports: Pick<Ports, 'store' | 'queue' | 'clock' | 'agents' | 'trace'>,
  fence: Fence,
  { message, correlation_id: correlationId }: MessageProposal,
): Promise<ProposalAnswer> {
  const { tenant, run } = fence;
  const task = (await ports.store.get(refs.task(tenant, run, fence.task)))?.data;
  if (task === undefined || heldAttempt(task, fence) === undefined) throw staleAttempt(fence);
  refuse(ports, task.agent, message);
  const sent = { ...cleanMessage(message), from_agent: task.agent };
  const isComplete = sent.message_type === 'complete' && correlationId !== undefined;
  // What names no subtask is refused as a whole.
  const subtask = isComplete ? await findSubtask(ports, fence, correlationId) : undefined;
  const outcome = await postMessage(ports, fence, {
    task: task.id,
    ...(correlationId === undefined ? {} : { correlationId }),
    message: sent,
  });
  const completed = subtask && (await completeSubtask(ports, fence, { subtask, message: sent }));
  if (outcome === 'refused' && completed === undefined)
    throw new PenstockError(
      'forbidden',
      `run ${run} has its ${MAX_MAIL} messages already; say the rest in your result`,
    );
  return { key: message.message_id, note: noteOf(sent, { completed, correlationId }) };
}

function refuse({ agents }: Pick<Ports, 'agents'>, from: string, message: AgentMessage): void {
  const forbidden = (reason: string) => new PenstockError('forbidden', reason);
  if (agents.get(from)?.tools.includes('send_message') !== true)
    throw forbidden(`agent ${from} may not send messages; its file does not name the tool`);
  if (!agents.has(message.to_agent))
    throw forbidden(`there is no agent ${message.to_agent}; there are ${[...agents.keys()].join(', ')}`);
  if (message.message_type === 'subtask')
    throw forbidden('a subtask is not a message; delegate it with delegate_subtask');
}

function noteOf(
  message: AgentMessage,
  { completed, correlationId }: { completed: string | undefined; correlationId: string | undefined },
): string {
  const said = `The message to ${message.to_agent} is on its way.`;
  if (completed === undefined) return said;
  const ended = completed === 'completed' ? 'is completed with it' : 'had ended before; it stays as it ended';
  return `${said} Subtask ${correlationId ?? ''} ${ended}.`;
}
