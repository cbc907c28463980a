import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';

/** Folder of the Google Cloud CLI that has both emulators, if there is one. The CLI itself takes a second to say where it is. */
export function emulatorRoot(): string | undefined {
  const usual = [process.env['CLOUDSDK_ROOT_DIR'], '/usr/lib/google-cloud-sdk'].find(hasEmulators);
  if (usual !== undefined) return usual;
  const own = gcloudRoot();
  return hasEmulators(own) ? own : undefined;
}

function hasEmulators(root: string | undefined): boolean {
  return (
    root !== undefined &&
    existsSync(`${root}/platform/cloud-firestore-emulator/cloud-firestore-emulator.jar`) &&
    existsSync(`${root}/platform/pubsub-emulator/lib`)
  );
}

/** `undefined`: they can be started. */
export function whyNoEmulators(): string | undefined {
  try {
    execFileSync('java', ['-version'], { stdio: 'ignore', timeout: 10_000 });
  } catch {
    return 'java does not run here: install a Java runtime, and the emulators with gcloud components install cloud-firestore-emulator pubsub-emulator';
  }
  if (emulatorRoot() !== undefined) return undefined;
  return 'the Google Cloud CLI has no Firestore and Pub/Sub emulators: gcloud components install cloud-firestore-emulator pubsub-emulator';
}

function gcloudRoot(): string | undefined {
  try {
    const args = ['info', '--format=value(installation.sdk_root)'];
    return execFileSync('gcloud', args, { encoding: 'utf8', timeout: 20_000, stdio: 'pipe' }).trim();
  } catch {
    return undefined;
  }
}
