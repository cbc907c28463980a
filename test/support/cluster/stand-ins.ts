import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type RunStandIn, startRunStandIn } from '../google/run-stand-in.ts';
import { startStorageStandIn, type StorageStandIn } from '../google/storage-stand-in.ts';

export interface StandInOptions {
  folder: string;
  project: string;
  region: string;
  bucket: string;
  /** Short names of the Cloud Run jobs, by tier. */
  jobs: Record<string, string>;
  /** Program of their image and its arguments. */
  command: string[];
  jobEnvironment: Record<string, string>;
}

/** The APIs that Google has no emulator of. */
export interface StandIns {
  run: RunStandIn;
  storage: StorageStandIn;
  /** What points a function to them. */
  environment: Record<string, string>;
  stop(): Promise<void>;
}

export async function startStandIns(options: StandInOptions): Promise<StandIns> {
  const { folder, project, region, bucket, command } = options;
  const run = await startRunStandIn({
    jobs: Object.values(options.jobs).map((job) => `projects/${project}/locations/${region}/jobs/${job}`),
    command,
    environment: options.jobEnvironment,
    logFolder: join(folder, 'logs/jobs'),
  });
  const objects = join(folder, 'objects');
  await mkdir(objects, { recursive: true });
  const storage = await startStorageStandIn({ buckets: [bucket], folder: objects, isOpen: true });
  // The client library signs URLs by the key of a service account.
  const keyFile = join(folder, 'service-account.json');
  await writeFile(keyFile, JSON.stringify(storage.key), { mode: 0o600 });
  return {
    run,
    storage,
    environment: {
      PENSTOCK_RUN_URL: run.url,
      STORAGE_EMULATOR_HOST: storage.url,
      GOOGLE_APPLICATION_CREDENTIALS: keyFile,
    },
    stop: async () => {
      await run.stop();
      await storage.stop();
    },
  };
}
