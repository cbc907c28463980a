import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { PenstockError } from '../../shared/ports/penstock-error.ts';

const lockFile = z.object({ pid: z.int(), url: z.string().optional() });

/** One platform process per data folder: two would deliver each other's messages. */
export function lockDataFolder(folder: string): { announce(url: string): void; release(): void } {
  mkdirSync(folder, { recursive: true });
  const file = join(folder, 'host.json');
  const other = readHost(folder);
  if (other !== undefined) {
    const where = other.url === undefined ? '' : ` at ${other.url}`;
    throw new PenstockError(
      'config',
      `${folder} is in use by process ${other.pid}${where}; stop it, or choose another folder with --data`,
    );
  }
  const write = (content: object) => writeFileSync(file, JSON.stringify(content));
  write({ pid: process.pid });
  return {
    announce: (url) => write({ pid: process.pid, url }),
    release: () => rmSync(file, { force: true }),
  };
}

/** The living process that has this data folder, and where it answers. */
export function readHost(folder: string): { pid: number; url?: string | undefined } | undefined {
  try {
    const host = lockFile.parse(JSON.parse(readFileSync(join(folder, 'host.json'), 'utf8')));
    return host.pid !== process.pid && isAlive(host.pid) ? host : undefined;
  } catch {
    return undefined;
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
