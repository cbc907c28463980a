import type { ModelProvider } from '../../ports/model.ts';

/**
 * Whether something outside, or one agent, works (000-08). Written when its state changes and not for each failure; without a
 * record it is closed.
 */
export interface Circuit {
  v: 1;
  key: string;
  state: 'closed' | 'open' | 'half_open';
  /** When it came to this state. */
  since: number;
  /** The newest failure that opened it. */
  reason: string;
  /** Failures in a row that opened it, in the process that did. */
  failures: number;
  /** Probes in a row that failed. */
  reopened: number;
  /** From then on one probe is let through; 0 while closed. */
  retryAt: number;
  /** While half open: whose outcome everybody else waits for, and until when. */
  probe?: { by: string; until: number };
}

/** Which circuit: those of agents are a tenant's own, so that nobody's work stops somebody else's. */
export interface CircuitName {
  key: string;
  tenant?: string;
}

export const providerCircuit = (provider: ModelProvider): CircuitName => ({ key: `provider-${provider}` });
export const modelCircuit = (model: string): CircuitName => ({ key: `model-${model}` });
export const agentCircuit = (tenant: string, agent: string): CircuitName => ({
  key: `agent-${agent}`,
  tenant,
});

/** Longer than a model call takes. A probe that has not ended by then is taken over. */
export const PROBE_MS = 10 * 60_000;
/** How long others wait before they ask again how the probe went. */
const PROBE_WAIT_MS = 10_000;
const RESET_CAP_MS = 60 * 60_000;

/** What a circuit means for somebody who wants through: free, a probe to be made, or a wait. */
export type Standing = 'free' | 'due' | { until: number };

export function standingOf(circuit: Circuit | undefined, asker: string, now: number): Standing {
  if (circuit === undefined || circuit.state === 'closed') return 'free';
  if (circuit.state === 'open') return now < circuit.retryAt ? { until: circuit.retryAt } : 'due';
  const { by, until } = circuit.probe ?? { by: '', until: 0 };
  if (now >= until) return 'due';
  return by === asker ? 'free' : { until: Math.min(until, now + PROBE_WAIT_MS) };
}

/** Something that was begun at `since` failed. */
export interface CircuitFailure {
  reason: string;
  since: number;
  /** Failures in a row, this one included. */
  failures: number;
  resetMs: number;
  /** When the other side said to come again. @default 0 */
  retryAfterMs?: number | undefined;
}

/** Half open: this asker's work is the probe. `undefined`: somebody was faster. */
export function probed(circuit: Circuit, asker: string, now: number): Circuit | undefined {
  if (standingOf(circuit, asker, now) !== 'due') return undefined;
  return { ...circuit, state: 'half_open', since: now, probe: { by: asker, until: now + PROBE_MS } };
}

/**
 * After so many failures that a closed circuit opens, or one that a half open one does not stand. What was begun before the
 * present state says nothing about it.
 */
export function afterFailure(
  circuit: Circuit | undefined,
  name: CircuitName,
  failure: CircuitFailure,
  now: number,
): Circuit | undefined {
  if (circuit?.state === 'open' || (circuit !== undefined && failure.since < circuit.since)) return undefined;
  const isProbe = circuit?.state === 'half_open';
  const reopened = isProbe ? circuit.reopened + 1 : 0;
  const { resetMs, retryAfterMs = 0 } = failure;
  return {
    v: 1,
    key: name.key,
    state: 'open',
    since: now,
    reason: failure.reason,
    failures: isProbe ? circuit.failures : failure.failures,
    reopened,
    retryAt: now + Math.min(RESET_CAP_MS, Math.max(retryAfterMs, resetMs * 2 ** reopened)),
  };
}

/** Any success of what was begun in the present state closes. */
export function afterSuccess(circuit: Circuit, since: number, now: number): Circuit | undefined {
  if (circuit.state === 'closed' || since < circuit.since) return undefined;
  const { probe: _ended, ...rest } = circuit;
  return { ...rest, state: 'closed', since: now, failures: 0, reopened: 0, retryAt: 0 };
}

/** The probe ended and says nothing: the next one is due at once. */
export function afterNothing(circuit: Circuit, asker: string, now: number): Circuit | undefined {
  if (circuit.state !== 'half_open' || circuit.probe?.by !== asker) return undefined;
  const { probe: _ended, ...rest } = circuit;
  return { ...rest, state: 'open', since: now, retryAt: now };
}
