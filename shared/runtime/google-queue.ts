import { createPubsubClient } from '../adapters/google/pubsub-client.ts';
import { createPubsubQueue } from '../adapters/google/pubsub-queue.ts';
import type { Log } from '../ports/log.ts';
import type { Queue } from '../ports/queue.ts';
import type { GoogleConfig } from './google-config.ts';
import { logRepeat } from './log-repeat.ts';

/** The project's Pub/Sub topics. Loaded with the first message that a function publishes. */
export function openQueue(config: GoogleConfig, log: Log): Queue {
  const { GOOGLE_CLOUD_PROJECT: projectId, PUBSUB_EMULATOR_HOST: emulatorHost } = config;
  const pubsub = createPubsubClient({ projectId, emulatorHost });
  const onRepeat = logRepeat(log);
  if (emulatorHost === undefined) return createPubsubQueue({ pubsub, onRepeat });
  const ifUnreachable = 'start the emulator that PUBSUB_EMULATOR_HOST names, or unset it';
  return createPubsubQueue({ pubsub, onRepeat, ifUnreachable });
}
