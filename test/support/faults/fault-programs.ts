import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { builtPrograms } from '../built-programs.ts';

/** Programs whose every call may break. */
export const FAULT_PROGRAMS = ['local-host', 'job', 'function'] as const;

/** Where one lies: as `npm test` built it, or else its source. */
export function faultProgram(name: (typeof FAULT_PROGRAMS)[number]): string {
  const { built } = builtPrograms();
  if (built === undefined) return fileURLToPath(new URL(`${name}.ts`, import.meta.url));
  return join(faultProgramsIn(built), `test/support/faults/${name}.js`);
}

/** Where they lie among deployables. */
export const faultProgramsIn = (built: string): string => join(built, 'fault-programs');
