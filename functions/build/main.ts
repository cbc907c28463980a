import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildDeployables } from './build-deployables.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const startedAt = performance.now();
const deployables = await buildDeployables(root, join(root, 'dist'));
for (const { name, kind, archive } of deployables) {
  const what =
    archive === undefined ? `${kind} context` : `${kilobytes(archive.bytes)}  ${archive.sha256.slice(0, 12)}`;
  process.stdout.write(`${name.padEnd(18)}${what}\n`);
}
const seconds = ((performance.now() - startedAt) / 1_000).toFixed(1);
process.stdout.write(`${deployables.length} deployables in dist/ in ${seconds} s\n`);

function kilobytes(bytes: number): string {
  return `${Math.round(bytes / 1_024)} KB`.padStart(8);
}
