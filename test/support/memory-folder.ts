import { spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const SHARED_MEMORY = '/dev/shm';
/** All that tests write at the same time is a small part of it. */
const ENOUGH_BYTES = 4 * 1024 ** 3;

/**
 * A new folder in memory, where git and databases need half the time that they take on a disk; `undefined` where there is none
 * in which programs may be run, or not enough room.
 */
export function makeMemoryFolder(): string | undefined {
  let folder: string | undefined;
  try {
    const { bavail, bsize } = statfsSync(SHARED_MEMORY);
    if (bavail * bsize < ENOUGH_BYTES) return undefined;
    folder = mkdtempSync(join(SHARED_MEMORY, 'penstock-tests-'));
    const program = join(folder, 'program');
    writeFileSync(program, '#!/bin/sh\n');
    chmodSync(program, 0o755);
    if (spawnSync(program).status === 0) return folder;
  } catch {
    // No such place on this machine.
  }
  if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
  return undefined;
}
