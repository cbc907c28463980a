import type { Ports } from '../ports.ts';
import { type Task, taskPath } from '../task.ts';
import type { ModelProvider } from '../../ports/model.ts';
import {
  afterFailure,
  afterNothing,
  afterSuccess,
  agentCircuit,
  type Circuit,
  type CircuitName,
  probed,
  providerCircuit,
  standingOf,
} from './circuit.ts';
import { createKnownCircuits, MAX_KNOWN, pathOf } from './known-circuits.ts';

/** `until`: when to ask again. Neither answer has used an attempt. */
export type Gate = { open: false } | { open: true; until: number; key: string };

/** Something that was begun at `since` went wrong. */
export interface Fault {
  reason: string;
  since: number;
  /** Opens at the first time: waiting for more would tell nothing new. @default false */
  isCertain?: boolean;
  /** When the other side said to come again. */
  retryAfterMs?: number | undefined;
}

/** The circuits of all processes, as this one knows them: records at most five seconds old, failures in a row counted here. */
export interface Circuits {
  /** Whether a task may begin an attempt: neither the provider nor its agent is known to fail. May make it the probe, which it keeps over redeliveries until it has an attempt. */
  gate(task: Task): Promise<Gate>;
  /** The same for any circuits; `asker` names whose probe it would be. */
  pass(circuits: readonly CircuitName[], asker: string): Promise<Gate>;
  /** Never throws: what is told here is not what its caller is about. */
  succeeded(circuit: CircuitName, since: number): Promise<void>;
  failed(circuit: CircuitName, fault: Fault): Promise<void>;
  /** Work that may have been a probe ended without saying anything about the circuit. */
  saidNothing(circuit: CircuitName, asker: string): Promise<void>;
  read(circuit: CircuitName): Promise<Circuit | undefined>;
}

export interface CircuitsConfig extends Pick<Ports, 'store' | 'clock' | 'log' | 'settings'> {
  /** Who answers for the model in this process. */
  provider: ModelProvider;
  /** Its settings hold for the circuits that all tenants share. */
  defaultTenant: string;
}

export function createCircuits(config: CircuitsConfig): Circuits {
  const { clock } = config;
  const known = createKnownCircuits(config);
  const inARow = createRows();

  const pass: Circuits['pass'] = async (names, asker) => {
    const now = clock.now();
    const due: CircuitName[] = [];
    for (const name of names) {
      const standing = standingOf(await known.read(name), asker, now);
      if (standing === 'due') due.push(name);
      else if (standing !== 'free') return { open: true, until: standing.until, key: name.key };
    }
    for (const name of due) {
      const circuit = await known.change(name, (current) => current && probed(current, asker, now));
      const standing = standingOf(circuit, asker, now);
      if (typeof standing === 'object') return { open: true, until: standing.until, key: name.key };
    }
    return { open: false };
  };

  const succeed = async (name: CircuitName, since: number): Promise<void> => {
    inARow.end(name);
    if (isClosed(await known.read(name))) return;
    await known.change(name, (current) => current && afterSuccess(current, since, clock.now()));
  };

  const fail = async (name: CircuitName, { isCertain = false, ...fault }: Fault): Promise<void> => {
    const { circuitFailures, circuitResetMs } = await config.settings(name.tenant ?? config.defaultTenant);
    const wasClosed = isClosed(await known.read(name));
    const failures = wasClosed ? inARow.count(name) : 0;
    if (wasClosed && !isCertain && failures < circuitFailures) return;
    // Whoever closes it again may be another process: counting begins anew from here.
    inARow.end(name);
    const failure = { ...fault, failures, resetMs: circuitResetMs };
    await known.change(name, (current) => afterFailure(current, name, failure, clock.now()));
  };

  const saidNothing = async (name: CircuitName, asker: string): Promise<void> => {
    if ((await known.read(name))?.state !== 'half_open') return;
    await known.change(name, (current) => current && afterNothing(current, asker, clock.now()));
  };

  /** Told on the way of something else, which goes on whatever becomes of it. */
  const quietly = async (name: CircuitName, work: Promise<void>): Promise<void> => {
    try {
      await work;
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      config.log.warn(`circuit ${name.key} could not be kept: ${message}`);
    }
  };

  return {
    read: (name) => known.read(name),
    pass,
    gate: (task) => pass(circuitsOf(task, config.provider), taskPath(task)),
    succeeded: (name, since) => quietly(name, succeed(name, since)),
    failed: (name, fault) => quietly(name, fail(name, fault)),
    saidNothing: (name, asker) => quietly(name, saidNothing(name, asker)),
  };
}

function isClosed(circuit: Circuit | undefined): boolean {
  return circuit === undefined || circuit.state === 'closed';
}

/** What a task needs: its agent, and the provider, except that an integration calls no model. */
function circuitsOf(task: Task, provider: ModelProvider): CircuitName[] {
  const agent = agentCircuit(task.tenant, task.agent);
  return task.kind === 'integrate' ? [agent] : [providerCircuit(provider), agent];
}

/** Failures in a row, by circuit. */
function createRows(): { count(name: CircuitName): number; end(name: CircuitName): void } {
  const rows = new Map<string, number>();
  return {
    count(name) {
      const path = pathOf(name);
      const failures = (rows.get(path) ?? 0) + 1;
      if (rows.size >= MAX_KNOWN) rows.clear();
      rows.set(path, failures);
      return failures;
    },
    end: (name) => void rows.delete(pathOf(name)),
  };
}
