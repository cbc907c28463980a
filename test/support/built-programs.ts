import { join } from 'node:path';

/**
 * Folder with a folder per deployable, as `npm test` built them from this source: they start in a third of the time.
 * Without, as where jest is run by hand or a mutant is looked for, everything runs from source.
 */
export function builtPrograms(): { built?: string } {
  const built = process.env['PENSTOCK_TEST_BUILT'];
  return built === undefined ? {} : { built };
}

/** Program of the job lane among {@link builtPrograms}. */
export function builtJob(): string | undefined {
  const { built } = builtPrograms();
  return built === undefined ? undefined : jobIn(built);
}

/** Where the program of the job lane lies among deployables. */
export function jobIn(folder: string): string {
  return join(folder, 'agent-job/functions/agent-job/main.js');
}
