import { execFile } from 'node:child_process';
import { symlink } from 'node:fs/promises';
import { join } from 'node:path';

const UNREACHABLE =
  /\b(ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ENETUNREACH|EHOSTUNREACH|ETIMEDOUT|ENOTCACHED)\b/;

/** No registry answers: a machine without a network. */
export class RegistryUnreachable extends Error {}

/**
 * `npm ci` in the first folder; the others, whose lockfiles name the same packages, share what it installed. Packages that npm has kept
 * from another time are not fetched again.
 */
export async function installPackages([first = '', ...others]: string[]): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const args = ['ci', '--ignore-scripts', '--prefer-offline', '--no-audit', '--no-fund'];
    execFile('npm', args, { cwd: first }, (error, _, stderr) => {
      if (error === null) return resolve();
      const text = `npm ci in ${first}: ${stderr.trim()}`;
      reject(UNREACHABLE.test(stderr) ? new RegistryUnreachable(text) : new Error(text));
    });
  });
  await Promise.all(
    others.map((folder) => symlink(join(first, 'node_modules'), join(folder, 'node_modules'))),
  );
}
