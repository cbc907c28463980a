import { describe } from '@jest/globals';
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { whyNoEmulators } from './emulator-root.ts';

/** What a machine may lack. Each name may stand in `PENSTOCK_REQUIRE`, which turns its absence into a failure. */
export type Group = 'emulators' | 'bubblewrap' | 'chromium' | 'terraform';

const reasons: Record<Group, () => string | undefined> = {
  bubblewrap: () =>
    whyNotRunnable('bwrap', ['--ro-bind', '/', '/', '--unshare-pid', '--unshare-net', 'true']),
  chromium: () => (existsSync('/usr/bin/chromium') ? undefined : 'no /usr/bin/chromium'),
  emulators: whyNoEmulators,
  // With the provider, which only a registry has: so somebody has to say that there is one.
  terraform: () => {
    const program = process.env['PENSTOCK_TERRAFORM'];
    if (program === undefined) return 'PENSTOCK_TERRAFORM names no Terraform that has the google provider';
    return whyNotRunnable('terraform', ['version']);
  },
};

/** `describe` where the machine can run the group; otherwise skipped, with the reason in the name. */
export function group(name: Group): typeof describe | typeof describe.skip {
  const reason = reasons[name]();
  if (reason === undefined) return describe;
  if ((process.env['PENSTOCK_REQUIRE'] ?? '').split(',').includes(name)) {
    throw new Error(`${name} is required by PENSTOCK_REQUIRE, but ${reason}`);
  }
  process.stderr.write(`skipped: ${name} (${reason})\n`);
  return describe.skip;
}

function whyNotRunnable(program: string, args: string[]): string | undefined {
  try {
    execFileSync(program, args, { stdio: 'ignore', timeout: 10_000 });
    return undefined;
  } catch {
    return `${program} does not run here`;
  }
}
