import { describe } from '@jest/globals';
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';

/** What a machine may lack. Each name may stand in `PENSTOCK_REQUIRE`, which turns its absence into a failure. */
export type Group = 'emulators' | 'bubblewrap' | 'chromium';

const reasons: Record<Group, () => string | undefined> = {
  bubblewrap: () =>
    whyNotRunnable('bwrap', ['--ro-bind', '/', '/', '--unshare-pid', '--unshare-net', 'true']),
  chromium: () => (existsSync('/usr/bin/chromium') ? undefined : 'no /usr/bin/chromium'),
  emulators: () =>
    whyNotRunnable('java', ['-version']) ??
    (emulatorRoot() === undefined
      ? 'the Google Cloud CLI has no Firestore and Pub/Sub emulators'
      : undefined),
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

/** Folder of the Google Cloud CLI that has both emulators, if there is one. */
export function emulatorRoot(): string | undefined {
  const roots = [process.env['CLOUDSDK_ROOT_DIR'], '/usr/lib/google-cloud-sdk', gcloudRoot()];
  return roots.find(
    (root) =>
      root !== undefined &&
      existsSync(`${root}/platform/cloud-firestore-emulator/cloud-firestore-emulator.jar`) &&
      existsSync(`${root}/platform/pubsub-emulator/lib`),
  );
}

function gcloudRoot(): string | undefined {
  try {
    const args = ['info', '--format=value(installation.sdk_root)'];
    return execFileSync('gcloud', args, { encoding: 'utf8', timeout: 20_000, stdio: 'pipe' }).trim();
  } catch {
    return undefined;
  }
}

function whyNotRunnable(program: string, args: string[]): string | undefined {
  try {
    execFileSync(program, args, { stdio: 'ignore', timeout: 10_000 });
    return undefined;
  } catch {
    return `${program} does not run here`;
  }
}
