import { once } from 'node:events';
import { whyNoEmulators } from './emulator-root.ts';
import { startEmulators } from './emulators.ts';

process.exitCode = await run();
process.exit();

/** Both emulators until Ctrl-C, and the environment in which everything else finds them. Answers the exit code. */
async function run(): Promise<number> {
  const missing = whyNoEmulators();
  if (missing !== undefined) {
    process.stderr.write(`emulators: ${missing}\n`);
    return 1;
  }
  const stopped = Promise.race(['SIGINT', 'SIGTERM', 'SIGHUP'].map((signal) => once(process, signal)));
  const emulators = await startEmulators();
  process.stderr.write(
    "Google's Firestore and Pub/Sub emulators run until Ctrl-C, and forget everything then. Wherever they are to be used:\n",
  );
  process.stdout.write(
    [
      `export FIRESTORE_EMULATOR_HOST=${emulators.firestoreHost}`,
      `export PUBSUB_EMULATOR_HOST=${emulators.pubsubHost}`,
      'export METADATA_SERVER_DETECTION=none',
      `export GOOGLE_CLOUD_PROJECT=${process.env['GOOGLE_CLOUD_PROJECT'] ?? 'penstock-local'}`,
      '',
    ].join('\n'),
  );
  const died = await Promise.race([stopped.then(() => undefined), emulators.ended()]);
  await emulators.stop();
  if (died === undefined) return 0;
  process.stderr.write(`emulators: the ${died} emulator has ended by itself; start them again\n`);
  return 1;
}
