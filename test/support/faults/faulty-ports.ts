import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createCircuits } from '../../../shared/core/circuits/create-circuits.ts';
import type { Ports } from '../../../shared/core/ports.ts';
import { createSettings } from '../../../shared/core/settings.ts';
import type { Clock } from '../../../shared/ports/clock.ts';
import type { CodeHost } from '../../../shared/ports/code-host.ts';
import type { Injector } from './injector.ts';
import { watchPort } from './watch-calls.ts';

export interface FaultyPortsOptions {
  folder: string;
  injector: Injector;
  /** Negative control: the platform cannot look up what it wrote. */
  isBlind?: boolean;
}

/** The same ports; each call goes through the injector, and the clock is the schedule's. */
export function faultyPorts(ports: Ports, { folder, injector, isBlind = false }: FaultyPortsOptions): Ports {
  const { around } = injector;
  const clock = scheduleClock(ports.clock, folder, injector);
  const store = watchPort('store', ports.store, around);
  const { log, policy, workflows } = ports;
  const settings = createSettings({ store, clock, log, policy });
  const { provider } = ports.model;
  const { defaultTenant } = policy;
  return {
    ...ports,
    clock,
    store,
    settings,
    circuits: createCircuits({ store, clock, log, settings, provider, defaultTenant }),
    queue: watchPort('queue', ports.queue, around),
    blobs: watchPort('blobs', ports.blobs, around),
    model: watchPort('model', ports.model, around),
    jobs: watchPort('jobs', ports.jobs, around),
    ...(workflows === undefined ? {} : { workflows: watchPort('workflows', workflows, around) }),
    codeHost: (repository) => {
      const codeHost = ports.codeHost(repository);
      return watchPort('codeHost', isBlind ? blind(codeHost) : codeHost, around);
    },
  };
}

/** Sees nothing of what it wrote before. */
function blind(codeHost: CodeHost): CodeHost {
  const nothing = () => Promise.resolve(undefined);
  return { ...codeHost, findPullRequest: nothing, findComment: nothing, findCheckRun: nothing };
}

/** Holds by how many milliseconds the clocks of all processes are ahead. */
const aheadFile = (folder: string): string => join(folder, 'ahead');
const READ_EVERY_MS = 100;

function scheduleClock(clock: Clock, folder: string, injector: Injector): Clock {
  let ahead = { ms: 0, readAt: -READ_EVERY_MS };
  return {
    now: () => {
      if (performance.now() - ahead.readAt >= READ_EVERY_MS)
        ahead = { ms: readAhead(folder), readAt: performance.now() };
      return clock.now() + ahead.ms + injector.aheadMs();
    },
    sleep: (ms, signal) => clock.sleep(ms, signal),
  };
}

export function readAhead(folder: string): number {
  return existsSync(aheadFile(folder)) ? Number(readFileSync(aheadFile(folder), 'utf8')) : 0;
}

/** In one move: whoever reads meanwhile sees the one time or the other, never none. */
export function setAhead(folder: string, ms: number): void {
  const next = `${aheadFile(folder)}.next`;
  writeFileSync(next, String(ms));
  renameSync(next, aheadFile(folder));
}
