import type { FailureCode } from '../../messages/attempt-api.ts';
import { classOf } from '../failure.ts';
import type { Ports } from '../ports.ts';
import { currentAttempt, type Task, type TaskAttempt, taskPath } from '../task.ts';
import { agentCircuit, providerCircuit } from './circuit.ts';

/** The provider's own, or the end of a machine: not what an agent does. */
const NOT_THE_AGENT: readonly FailureCode[] = ['model_unavailable', 'lost'];

/** Tells the circuits what the end of a task's newest attempt says about its agent. What it says of the provider was told at each call. */
export async function tellCircuits({ circuits }: Pick<Ports, 'circuits'>, task: Task): Promise<void> {
  const attempt = currentAttempt(task);
  if (attempt?.exit === undefined) return;
  const agent = agentCircuit(task.tenant, attempt.agent);
  // Without a call, or with none that says anything, its probe is for another to make.
  await circuits.saidNothing(providerCircuit(attempt.provider), taskPath(task));
  if (attempt.exit.outcome === 'succeeded') return circuits.succeeded(agent, attempt.startedAt);
  const reason = faultOf(task, attempt.exit);
  if (reason === undefined) return circuits.saidNothing(agent, taskPath(task));
  return circuits.failed(agent, { reason, since: attempt.startedAt });
}

function faultOf(
  { kind }: Task,
  { code, message = '' }: NonNullable<TaskAttempt['exit']>,
): string | undefined {
  if (code === undefined || NOT_THE_AGENT.includes(code) || classOf(code) === 'user') return undefined;
  // Checks that an integration finds red are the fault of a change set.
  if (kind === 'integrate' && code === 'checks_red') return undefined;
  return `${code}: ${message}`.slice(0, 300);
}
