import { PenstockError } from '../ports/penstock-error.ts';
import type { DocumentRef } from '../ports/store.ts';
import type { Ports } from './ports.ts';
import { type Effect, refs } from './refs.ts';

type EffectPorts = Pick<Ports, 'store' | 'clock' | 'ids'>;
export type EffectResult = NonNullable<Effect['result']>;

/** Longer than the outside calls of one effect may take; until then nobody else tries. */
const CLAIM_MS = 120_000;
const RETRY_AFTER_MS = 2_000;

export interface EffectSteps {
  /** What stands outside already under the effect's identity. */
  look: () => Promise<EffectResult | undefined>;
  act: () => Promise<EffectResult>;
}

/**
 * Does something outside once: intent recorded → look → act → recorded. Two callers at once: the second is told to come back.
 * After an unknown outcome the next caller looks before it acts.
 * @throws PenstockError `conflict` (later) while another holds the effect, and whatever `look` and `act` throw.
 */
export async function performEffect(
  ports: EffectPorts,
  effect: { tenant: string; run: string; id: string },
  { look, act }: EffectSteps,
): Promise<EffectResult> {
  const ref = refs.effect(effect.tenant, effect.run, effect.id);
  const held = await claimEffect(ports, ref);
  if ('done' in held) return held.done;
  try {
    const result = (await look()) ?? (await act().catch((error: unknown) => foundAfter(error, look)));
    await record(ports, ref, { ...held.effect, state: 'done', result }, held.version);
    return result;
  } catch (error) {
    await record(ports, ref, { ...held.effect, claimUntil: 0 }, held.version);
    throw error;
  }
}

/** Where it exists although nobody saw it before: a request that was given up was carried out late. */
async function foundAfter(error: unknown, look: EffectSteps['look']): Promise<EffectResult> {
  const isThere = error instanceof PenstockError && error.code === 'conflict';
  const found = isThere ? await look() : undefined;
  if (found === undefined) throw error;
  return found;
}

/** Only one at a time does `action`; it may be done again, so nothing but the claim is recorded. */
export async function exclusively(
  ports: EffectPorts,
  effect: { tenant: string; run: string; id: string },
  action: () => Promise<void>,
): Promise<void> {
  const ref = refs.effect(effect.tenant, effect.run, effect.id);
  const held = await claimEffect(ports, ref);
  if ('done' in held) return;
  try {
    await action();
  } finally {
    await record(ports, ref, { ...held.effect, claimUntil: 0 }, held.version);
  }
}

async function claimEffect(
  ports: EffectPorts,
  ref: DocumentRef<Effect>,
): Promise<{ done: EffectResult } | { effect: Effect; version: string }> {
  const now = ports.clock.now();
  const existing = await ports.store.get(ref);
  if (existing?.data.state === 'done') return { done: existing.data.result ?? {} };
  if (existing !== undefined && existing.data.claimUntil > now) throw busy(ref);
  const effect: Effect = {
    v: 1,
    state: 'intended',
    claimId: ports.ids.secret(),
    claimUntil: now + CLAIM_MS,
    attempts: (existing?.data.attempts ?? 0) + 1,
  };
  const result = await ports.store.commit([
    existing === undefined
      ? { op: 'create', ref, data: effect }
      : { op: 'set', ref, data: effect, ifVersion: existing.version },
  ]);
  if (result.outcome === 'conflict') throw busy(ref);
  return { effect, version: result.versions[0] ?? '' };
}

/** Losing the claim meanwhile is no harm: what stands outside is found by the next look. */
async function record(
  ports: EffectPorts,
  ref: DocumentRef<Effect>,
  data: Effect,
  ifVersion: string,
): Promise<void> {
  await ports.store.commit([{ op: 'set', ref, data, ifVersion }]);
}

function busy(ref: DocumentRef<Effect>): PenstockError {
  const message = `${ref.collection}/${ref.id} is being done by another process`;
  return new PenstockError('conflict', message, { retry: 'later', afterMs: RETRY_AFTER_MS });
}
