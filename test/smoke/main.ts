import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { smoke } from './smoke.ts';

/** Asks a system that was just deployed whether its doors are open for whom they should be, and shut for all others. */
const file = fileURLToPath(new URL('../../dist/addresses.json', import.meta.url));

if ((process.env['DEPLOYS'] ?? 'yes') === 'yes') {
  const addresses = JSON.parse(readFileSync(file, 'utf8')) as Record<string, string>;
  const findings = await smoke(addresses);
  for (const { door, isRight, text } of findings)
    process.stdout.write(`${isRight ? 'ok   ' : 'WRONG'} ${door.padEnd(9)} ${text}\n`);
  if (findings.some(({ isRight }) => !isRight)) {
    process.stdout.write(
      'Roll back: git revert the last commit and push it, or apply the commit before (npm run ci:build, ci:plan, ci:apply). ' +
        'Archives and images are kept by content, so nothing is built anew.\n',
    );
    process.exitCode = 1;
  }
} else {
  process.stdout.write('not deployed from here: nothing is asked\n');
}
